"""What a company chose for its mail: sections with defaults, its own mail server, and what the DNS says."""
