"""How fast the platform is: ``make bench``. What each row means is in docs/performance.md."""
