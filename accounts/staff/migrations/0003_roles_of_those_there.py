from django.db import migrations


class Migration(migrations.Migration):
    """Whoever was superuser keeps that as a role; everybody else looks, until a role is given."""

    dependencies = [
        ("staff", "0002_roles_sessions_acts"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE staff_staffuser SET role = 'superuser' WHERE is_superuser", reverse_sql=migrations.RunSQL.noop
        ),
    ]
