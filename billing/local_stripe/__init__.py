"""A small server in the shape of Stripe, for development and tests.  See the README."""
