from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='phone',
            field=models.CharField(blank=True, db_default='', max_length=16),
        ),
        migrations.AddField(
            model_name='user',
            name='preferences',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['status', '-id'], name='user_list'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['profile_id'], name='user_by_profile'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('role', 'tenant_admin'), ('status', 'active')), fields=['id'], name='user_admins'),
        ),
    ]
