from django.apps import AppConfig


class MeConfig(AppConfig):
    name = "platform_site.me"
    label = "me"
    default_auto_field = "django.db.models.BigAutoField"
