from django.apps import AppConfig


class OrgSettingsConfig(AppConfig):
    name = "tenancy.org_settings"
    label = "org_settings"
    verbose_name = "Organisation settings"
    default_auto_field = "django.db.models.BigAutoField"
