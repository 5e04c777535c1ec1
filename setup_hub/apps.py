from django.apps import AppConfig


class SetupHubConfig(AppConfig):
    name = "setup_hub"
    verbose_name = "Set-up"
    default_auto_field = "django.db.models.BigAutoField"
