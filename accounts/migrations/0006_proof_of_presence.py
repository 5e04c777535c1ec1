import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_links_of_more_kinds'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='authenticated_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='session',
            name='methods',
            field=models.CharField(db_default='pwd', max_length=40),
        ),
    ]
