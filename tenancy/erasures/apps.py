from django.apps import AppConfig


class ErasuresConfig(AppConfig):
    name = "tenancy.erasures"
    label = "erasures"
    default_auto_field = "django.db.models.BigAutoField"
