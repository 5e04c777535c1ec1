"""Notifications to people: in-app, by e-mail and by socket."""
