"""How a tenant's schema comes into being: the template's DDL is read once and replayed at each sign-up."""
