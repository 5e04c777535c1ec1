from django.apps import AppConfig


class LensConfig(AppConfig):
    name = "accounts.staff.lens"
    label = "lens"
    verbose_name = "Tenant lens"
