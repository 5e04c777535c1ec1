"""``manage.py migrate`` says which command does it here."""

import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.autodetector import MigrationAutodetector

REASON = (
    "This platform has a schema for each tenant, and `migrate` would change only some of them.\n"
    "Use `python manage.py migrate_all`. (`makemigrations` works as usual.)"
)


class Command(BaseCommand):
    help = "Not used here: see migrate_all."
    requires_system_checks = ()
    # A check of Django's compares it with that of makemigrations.
    autodetector = MigrationAutodetector
    # Whoever calls this from code may pass what Django's own command takes.
    stealth_options = ("interactive", "run_syncdb", "database", "app_label", "migration_name", "fake", "plan")

    def run_from_argv(self, argv: list[str]) -> NoReturn:
        # Before the arguments are read, so that `migrate accounts 0002 --fake` gets the same answer.
        sys.stderr.write(f"{REASON}\n")
        sys.exit(2)

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        raise CommandError(REASON, returncode=2)
