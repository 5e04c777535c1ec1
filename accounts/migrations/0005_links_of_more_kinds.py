import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_custom_profiles'),
    ]

    operations = [
        migrations.AddField(
            model_name='linktoken',
            name='sender',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sent_links', to='accounts.user'),
        ),
        migrations.AlterField(
            model_name='linktoken',
            name='kind',
            field=models.CharField(choices=[('vfy', 'Verify Email'), ('rst', 'Reset Password'), ('inv', 'Invitation')], max_length=3),
        ),
        migrations.AddIndex(
            model_name='linktoken',
            index=models.Index(condition=models.Q(('sender__isnull', False)), fields=['sender'], name='link_by_sender'),
        ),
    ]
