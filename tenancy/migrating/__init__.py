"""Bringing public, the template and every tenant's schema to the migrations that the code has."""
