"""The guided set-up of a new tenant."""
