"""Platform staff: the people behind the admin, in the public schema."""
