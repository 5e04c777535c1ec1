"""Demo data of any size: realistic, and the same for the same seed. Never for an installation that others can reach."""
