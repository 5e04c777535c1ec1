"""The Celery app of worker and scheduler. Its default task class fails closed."""

import os

from celery import Celery

from platform_site.metrics import tasks_of_celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_site.settings")

app = Celery("platform_site", task_cls="platform_site.tasks:TenantTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
tasks_of_celery.connect()
