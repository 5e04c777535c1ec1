"""``/settings/email``: how the company's mail is sent."""
