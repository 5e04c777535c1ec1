from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "platform_site.backoffice"
    label = "backoffice"
    default_auto_field = "django.db.models.BigAutoField"
