from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "accounts.directory"
    label = "directory"
    verbose_name = "Directory of people"
    default_auto_field = "django.db.models.BigAutoField"
