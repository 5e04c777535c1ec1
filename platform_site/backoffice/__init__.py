"""Staff's way in: the home page of the admin, its search, and the tools that look at every app."""
