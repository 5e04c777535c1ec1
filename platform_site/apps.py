"""The platform's own app: wires the guard, the catalogues and the checks."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.module_loading import autodiscover_modules


class PlatformConfig(AppConfig):
    name = "platform_site"
    verbose_name = "Platform"

    def ready(self) -> None:
        from platform_site import checks, logs
        from platform_site.binding import install_guard

        checks.register()
        logs.configure()
        connection_created.connect(install_guard, dispatch_uid="tenant binding guard")
        # All catalogues before the first reaction: notifications react to events of apps that come later.
        autodiscover_modules("errors", "catalog", "notification_events")
        autodiscover_modules("reactions", "tasks", "archiving")
