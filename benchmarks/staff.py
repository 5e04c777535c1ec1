"""A staff member who is signed in: ``python -m benchmarks.staff`` prints the cookie's value."""

import django


def main() -> None:
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from accounts.staff.models import StaffUser

    staff = StaffUser.objects.create_superuser("bench@platform.test", "correct horse battery")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(staff.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
    session.save()
    print(session.session_key)


if __name__ == "__main__":
    django.setup()
    main()
