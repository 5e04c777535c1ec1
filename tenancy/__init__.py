"""Tenants: their schemas, their life cycle and how they come into being."""
