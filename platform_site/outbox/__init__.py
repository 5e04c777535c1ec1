"""The outbox: reactions to journal entries, run at least once, each in a transaction of its own."""
