"""Looking at everything an installation depends on, and saying what to do about what is wrong."""
