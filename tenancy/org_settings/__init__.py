"""What a tenant may decide for itself: a typed registry, and the values it has chosen."""
