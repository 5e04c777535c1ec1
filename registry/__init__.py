"""One record per person across all modules."""
