"""Search by any part of a name: the extension whose operators tenants' indexes use."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0001_initial'),
    ]

    operations = [
        TrigramExtension(),
    ]
