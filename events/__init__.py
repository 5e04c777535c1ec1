"""What happened to the people of the registry."""
