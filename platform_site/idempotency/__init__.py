"""Idempotency-Key: the stored answer of a creating request, in the tenant it created in."""
