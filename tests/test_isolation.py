"""Two tenants with equal numbers, over HTTP, on threads: nobody ever sees the other."""

import pytest

from accounts.models import User
from platform_site.binding import bind, bound_tenant
from tests.support import Api, at_once, scaled

REQUESTS, THREADS = scaled(2_000, 50_000), 16


@pytest.mark.commits
@pytest.mark.timeout(900)
def test_equal_numbers_in_two_tenants_never_mix(alice: Api, mallory: Api) -> None:
    people = [alice, mallory]
    for person in people:
        with bind(person.tenant.ref):
            User.objects.filter(pk=1).update(last_name=f"canary-{person.tenant.slug}")
    assert alice.get("/auth/me").json()["data"]["userId"] == mallory.get("/auth/me").json()["data"]["userId"] == 1

    def work(number: int) -> tuple[int, int]:
        clients = [Api(token=person.token) for person in people]
        wrong = 0
        for turn in range(REQUESTS // THREADS):
            which = (number + turn) % 2
            path = "/auth/me" if turn % 3 else "/tenants/me"
            body = clients[which].get(path)
            own, foreign = people[which].tenant.slug.encode(), people[1 - which].tenant.slug.encode()
            wrong += body.status_code != 200 or foreign in body.content or own not in body.content
        return wrong, REQUESTS // THREADS

    done = at_once(THREADS, work)
    assert done.most_at_once == THREADS
    assert sum(count for _, count in done.results) >= REQUESTS - THREADS
    assert sum(wrong for wrong, _ in done.results) == 0
    assert bound_tenant() is None
