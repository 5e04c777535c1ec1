from django.apps import AppConfig


class SetupHubConfig(AppConfig):
    name = "setup_hub"
    default_auto_field = "django.db.models.BigAutoField"
