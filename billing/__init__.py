"""Plans, seats and payment through Stripe."""
