"""The journal: one entry for every business fact, and one outbox row for each reaction to it."""
