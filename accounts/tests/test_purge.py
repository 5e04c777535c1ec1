"""What nobody can use any more goes after a while, in every tenant."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import LinkToken, Session
from accounts.tasks import purge
from platform_site.binding import bind
from platform_site.idempotency.models import IdempotencyRecord
from tests.support import Api


def test_old_sessions_links_and_keys_go_and_young_ones_stay(alice: Api, mallory: Api) -> None:
    long_ago = timezone.now() - timedelta(days=40)
    for person in (alice, mallory):
        with bind(person.tenant.ref):
            IdempotencyRecord.objects.create(
                key_hash=b"old", body_hash=b"", status=201, answer=b"", created_at=timezone.now() - timedelta(hours=25)
            )
            IdempotencyRecord.objects.create(key_hash=b"new", body_hash=b"", status=201, answer=b"")
    with bind(mallory.tenant.ref):
        Session.objects.update(absolute_expires_at=long_ago)
        LinkToken.objects.update(expires_at=long_ago)
    purge()
    with bind(alice.tenant.ref):
        assert (Session.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)
        assert LinkToken.objects.count() == 1
    with bind(mallory.tenant.ref):
        assert (Session.objects.count(), IdempotencyRecord.objects.count()) == (0, 1)
        assert LinkToken.objects.count() == 0
    assert mallory.get("/auth/me").status_code == 401
