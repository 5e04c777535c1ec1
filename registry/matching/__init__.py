"""Whether two records may be the same one: pure functions, without tables."""
