"""``manage.py migrate_schemas``: django-tenants' command goes round tenant binding."""

from tenancy.management.commands.migrate import Command

__all__ = ["Command"]
