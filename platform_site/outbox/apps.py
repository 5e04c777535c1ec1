from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "platform_site.outbox"
    label = "outbox"
    verbose_name = "Waiting work"
    default_auto_field = "django.db.models.BigAutoField"
