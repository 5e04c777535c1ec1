"""What concerns the signed-in person, put together from all apps."""
