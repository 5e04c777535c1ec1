"""Health: probes that run in the background, and answers that only read what they found."""
