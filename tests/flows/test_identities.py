"""Who is who across apps: a visitor who is recognised later, and people whom seven apps know in their own words.

The first is the case that Segment describes in the documentation of its profile tables: four calls of one visitor make
two profiles and one merge, and the tables are what it says stands in them then. The second is as the data sets of
pseudopeople are: the same people in several files, each with its own gaps and slips, and a number that tells who is
who and that nobody but the test sees.
"""

from collections import Counter, defaultdict
from typing import Any

from registry.tests.support import auto_link, by_entity, entity, genealogy, merge, record, register
from tests.support import Api, data

EMAIL = "jane.kim@company.com"
FIRST, SECOND = "5285bc35-05ef-4d21", "b50e18a5-1b8d-451c"


class TestAVisitorWhoIsRecognisedLater:
    def test_four_calls_two_profiles_one_merge(self, alice: Api) -> None:
        one, other = _browser(FIRST), _browser(SECOND)
        names: dict[str, str] = {}

        # Somebody looks around, and signs up moments later.
        profile_1 = register(alice, name="Visitor", **one)["canonicalId"]
        names[profile_1] = "profile_1"
        _call(alice, profile_1, "event_1", "page", "2022-05-02T14:01:00.000Z", "twilio.com")
        known = auto_link(alice, EMAIL, 200, **one)
        assert (known["canonicalId"], known["matchedBy"], known["conflict"]) == (profile_1, "email", None)
        _call(alice, profile_1, "event_2", "identify", "2022-05-02T14:01:47.000Z", "twilio.com/try-twilio")

        # Weeks later, in another browser: nobody can know yet who it is.
        profile_2 = register(alice, name="Visitor", **other)["canonicalId"]
        assert profile_2 != profile_1
        names[profile_2] = "profile_2"
        _call(alice, profile_2, "event_3", "page", "2022-06-22T10:47:15.000Z", "twilio.com/education")
        assert _graph(alice, names, profile_1) == [("profile_1", "profile_1", "page", "event_1")]

        # The address tells. The two are proposed, and somebody says that they are one.
        _call(alice, profile_2, "event_4", "identify", "2022-06-22T10:48:00.000Z", "twilio.com/events/webinars")
        found = auto_link(alice, EMAIL, 200, **other)
        assert (found["canonicalId"], found["conflict"]) == (profile_2, {"emailOwner": profile_1})
        (proposed,) = data(alice.get("/entity-registry/duplicates"))
        assert {record["canonicalId"] for record in proposed["records"]} == {profile_1, profile_2}
        merge(alice, profile_1, profile_2, reason="event_4")

        # id_graph_updates: what led where, and which call made it so.
        published = [
            ("profile_1", "profile_1", "page", "event_1"),
            ("profile_2", "profile_2", "page", "event_3"),
            ("profile_2", "profile_1", "identify", "event_4"),
        ]
        assert _graph(alice, names, profile_1) == published
        # external_id_mapping_updates: to whom each identifier came first.
        assert _identifiers(alice, names, profile_1) == [
            ("profile_1", "email", EMAIL),
            ("profile_1", "visitor", FIRST),
            ("profile_2", "visitor", SECOND),
        ]
        # pages and identifies: events keep the profile of their time, whichever of the two is asked for.
        for asked in (profile_1, profile_2):
            assert _calls(alice, names, asked) == [
                ("profile_1", "page", "event_1", "2022-05-02T14:01:00.000Z", "twilio.com"),
                ("profile_1", "identify", "event_2", "2022-05-02T14:01:47.000Z", "twilio.com/try-twilio"),
                ("profile_2", "page", "event_3", "2022-06-22T10:47:15.000Z", "twilio.com/education"),
                ("profile_2", "identify", "event_4", "2022-06-22T10:48:00.000Z", "twilio.com/events/webinars"),
            ]
            shown = entity(alice, asked)
            assert (shown["canonicalId"], shown["mergedIds"]) == (profile_1, [profile_2])
            assert data(alice.get(f"/platform-events/{asked}/summary"))["total"] == 4
        assert data(alice.get("/entity-registry/duplicates")) == []
        assert by_entity(alice, other).json()["data"]["canonical"]["canonicalId"] == profile_1

        # The winner is merged as well: every id leads straight to the last one.
        profile_0 = register(alice, name="Jane Kim", **record("sales"))["canonicalId"]
        names[profile_0] = "profile_0"
        merge(alice, profile_0, profile_1, reason="event_4")
        for asked in (profile_0, profile_1, profile_2):
            shown = entity(alice, asked)
            assert (shown["canonicalId"], set(shown["mergedIds"])) == (profile_0, {profile_1, profile_2})
            assert len(_calls(alice, names, asked)) == 4
        assert _graph(alice, names, profile_0) == [
            *published,
            ("profile_0", "profile_0", None, None),
            ("profile_1", "profile_0", "identify", "event_4"),
        ]


def _browser(number: str) -> dict[str, Any]:
    return record("web", "visitor", number)


def _call(somebody: Api, profile: str, name: str, kind: str, at: str, url: str) -> None:
    body = {
        "canonicalId": profile,
        "app": "web",
        "category": "visit",
        "action": kind,
        "messageId": name,
        "occurredAt": at,
        "metadata": {"url": url},
    }
    data(somebody.post("/platform-events", body), 201)


def _calls(somebody: Api, names: dict[str, str], profile: str) -> list[tuple[str, ...]]:
    """Profile as it was sent, kind, name, time and page of each call, the first one first."""
    events = data(somebody.get(f"/platform-events/{profile}"))
    return [
        (
            names[one["sentCanonicalId"] or one["canonicalId"]],
            one["action"],
            one["messageId"],
            one["occurredAt"],
            one["metadata"]["url"],
        )
        for one in reversed(events)
    ]


def _graph(somebody: Api, names: dict[str, str], profile: str) -> list[tuple[Any, ...]]:
    """Which profile led to which, and the call because of which it did: its first one, or the reason of the merge."""
    calls = _calls(somebody, names, profile)
    kinds = {name: kind for _, kind, name, *_ in calls}
    first: dict[str, str] = {}
    for sent_to, _, name, *_ in calls:
        first.setdefault(sent_to, name)
    rows = []
    for step in genealogy(somebody, profile):
        here = names[step["canonicalIdAtTime"]]
        if step["op"] == "registered":
            rows.append((here, here, kinds.get(first.get(here, "")), first.get(here)))
        elif step["op"] == "merged_in":
            rows.append((names[step["payload"]["loserId"]], here, kinds[step["reason"]], step["reason"]))
    return rows


def _identifiers(somebody: Api, names: dict[str, str], profile: str) -> list[tuple[str, str, str]]:
    shown = entity(somebody, profile)
    came = {link["linkId"]: names[link["originCanonicalId"]] for link in shown["links"]}
    links = [(came[link["linkId"]], link["entityType"], link["entityId"]) for link in shown["links"]]
    return sorted([*links, *((came[one["linkId"]], one["kind"], one["value"]) for one in shown["identifiers"])])


# Who it is (nobody but the test knows), app, name, address, and what else the app knows. Every app makes mistakes of
# its own. Numbers 1 and 2 are married, 3 is the son of 4 with the same name, 5 and 6 are namesakes in two cities, and
# 8 shares a birthday with 7.
_BERN = {"street": "Lindenweg 12", "city": "Bern", "postcode": "3007"}
_OLTEN = {"street": "Bahnhofstrasse 3", "city": "Olten", "postcode": "4600"}
ROWS: list[tuple[int, str, str, str, dict[str, Any]]] = [
    (1, "sales", "Margaret Hofer", "m.hofer@company.com", {**_BERN, "dateOfBirth": "1979-03-14"}),
    (1, "support", "Peggy Hofer", "M.Hofer@Company.com", {}),
    (1, "billing", "Hofer Margaret", "", {**_BERN, "dateOfBirth": "1979-03-14"}),
    (1, "payroll", "Margaret Hofer", "m.hofer@company.com", {"dateOfBirth": "1979-03-14"}),
    (1, "web", "mhofer", " m.hofer@company.com ", {}),
    (2, "sales", "Daniel Hofer", "d.hofer@company.com", {**_BERN, "dateOfBirth": "1976-11-02"}),
    (2, "survey", "Danny Hofer", "d.hofer@company.com", _BERN),
    (2, "billing", "Daniel Hofr", "", {**_BERN, "dateOfBirth": "1976-11-02"}),
    (3, "sales", "Paul Aebischer", "paul.a@home.com", {**_OLTEN, "dateOfBirth": "1990-07-21"}),
    (3, "events", "Paul Aebischer", "paul.a@home.com", {}),
    (3, "events", "P. Aebischer", "paul.a@home.com", {}),
    (3, "payroll", "Paul Aebischer", "", {**_OLTEN, "dateOfBirth": "1990-07-21"}),
    (4, "sales", "Paul Aebischer", "aebischer@post.com", {**_OLTEN, "dateOfBirth": "1958-02-09"}),
    (4, "support", "Paul Aebischer", "aebischer@post.com", {}),
    (4, "billing", "Paul Aebischr", "", {**_OLTEN, "dateOfBirth": "1958-02-09"}),
    (5, "web", "Anna Keller", "anna@keller.com", {"city": "Chur", "phone": "+41 81 250 00 00"}),
    (5, "support", "Anna Keller", "anna@keller.com", {"city": "Chur"}),
    (5, "survey", "Ana Keller", "", {"city": "Chur", "phone": "081 250 00 00", "country": "CH"}),
    (6, "web", "Anna Keller", "keller@studio.com", {"city": "Genf", "phone": "+41 22 700 00 00"}),
    (6, "sales", "Anna Keller", "keller@studio.com", {"city": "Genf"}),
    (7, "web", "Robert Zaugg", "r.zaugg@gmail.com", {"dateOfBirth": "1985-12-30", "city": "Thun"}),
    (7, "events", "Bob Zaugg", "rzaugg+fair@googlemail.com", {"dateOfBirth": "1985-12-30"}),
    (7, "payroll", "Robert Zaugg", "", {"dateOfBirth": "30.12.1985", "city": "Thun"}),
    (8, "payroll", "Lena Brunner", "lena@brunner.com", {"dateOfBirth": "1985-12-30", "city": "Basel"}),
    (8, "billing", "Lena Bruner", "lena@brunner.com", {"dateOfBirth": "1985-12-30"}),
    # Nobody's address: it may bring nobody together.
    (9, "support", "Nils Frey", "noreply@shop.com", {"phone": "+41 31 311 11 11"}),
    (10, "support", "Carla Rossi", "noreply@shop.com", {"phone": "+41 91 922 22 22"}),
]


class TestPeopleWhomSevenAppsKnow:
    def test_addresses_link_the_rest_is_proposed_and_in_the_end_everybody_is_one(self, alice: Api) -> None:
        assert len({app for _, app, *_ in ROWS}) == 7
        people: dict[str, int] = {}
        linked: dict[str, str] = {}
        for place, (number, app, name, email, more) in enumerate(ROWS):
            body = {**record(app, "person", f"{app}-{place}"), "name": name, "snapshot": more}
            made = _written(alice, body, email)
            # An address never brings two people together.
            assert people.setdefault(made["canonicalId"], number) == number, name
            linked[body["entityId"]] = made["canonicalId"]

        # Rows with one address, in whatever spelling, are one record; each of the others has one of its own.
        addresses = {(number, email.strip().lower()) for number, *_, email, _ in ROWS if email}
        alone = sum(not email for *_, email, _ in ROWS)
        assert len(people) == len(addresses) + alone > len({number for number, *_ in ROWS})

        # Somebody goes through what is proposed, until nothing is left.
        merges, dismissed = _decide(alice, people)
        assert merges == len(people) - len({number for number, *_ in ROWS})
        # Father and son are worth a look; who only shares a city, a birthday or somebody's address is not.
        assert dismissed <= {(3, 4)}

        # Of each person there is one record, and each app's records of that person are linked to it.
        expected: dict[int, Counter[str]] = defaultdict(Counter)
        for number, app, *_ in ROWS:
            expected[number][app] += 1
        ends = {entity(alice, canonical_id)["canonicalId"]: number for canonical_id, number in people.items()}
        assert sorted(ends.values()) == sorted(expected)
        for canonical_id, number in ends.items():
            assert data(alice.get(f"/entity-registry/{canonical_id}/profile"))["apps"] == expected[number]
        for place, (number, app, *_) in enumerate(ROWS):
            found = by_entity(alice, record(app, "person", f"{app}-{place}")).json()["data"]["canonical"]
            assert ends[found["canonicalId"]] == number
            # The id that the app was given at first leads there as well.
            assert entity(alice, linked[f"{app}-{place}"])["canonicalId"] == found["canonicalId"]

    def test_another_company_with_the_same_people_shares_nothing(self, alice: Api, mallory: Api) -> None:
        seen = []
        for somebody in (alice, mallory):
            made = {
                _written(somebody, {**record(app, "person", f"{app}-{n}"), "name": name, "snapshot": more}, email)[
                    "canonicalId"
                ]
                for n, (_, app, name, email, more) in enumerate(ROWS)
            }
            seen.append(made)
        assert len(seen[0]) == len(seen[1])
        assert seen[0].isdisjoint(seen[1])


def _written(somebody: Api, body: dict[str, Any], email: str) -> dict[str, Any]:
    """As an app does: by the address where it knows one."""
    path = "auto-link" if email else "register"
    answer = somebody.post(f"/entity-registry/{path}", {**body, **({"email": email} if email else {})})
    assert answer.status_code in (200, 201), answer.content
    return dict(answer.json()["data"])


def _decide(somebody: Api, people: dict[str, int]) -> tuple[int, set[tuple[int, int]]]:
    """Merge those pairs that are one person and dismiss the others. Gives how many, and who were no pair."""
    merges, dismissed = 0, set()
    while pairs := data(somebody.get("/entity-registry/duplicates?limit=100")):
        one, other = (shown["canonicalId"] for shown in pairs[0]["records"])
        if people[one] == people[other]:
            merge(somebody, one, other)
            merges += 1
        else:
            data(somebody.post(f"/entity-registry/{one}/duplicates/{other}/dismiss"))
            dismissed.add((min(people[one], people[other]), max(people[one], people[other])))
    return merges, dismissed
