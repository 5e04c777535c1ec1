"""HTTP of the set-up hub."""
