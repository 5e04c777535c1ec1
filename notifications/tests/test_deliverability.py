"""What the DNS says about a sender's domain: asked in a job, of a real server, and kept."""

import base64
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from notifications.email_settings.deliverability import CHECK_DOMAIN, FIRST_RETRY, LONGEST_RETRY, WHEN_FINE, _again
from notifications.email_settings.domain_records import Record, examine
from notifications.models import DomainCheck
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api

PATH = "/settings/email/deliverability"


def key(bits: int) -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


LONG = f"v=DKIM1; k=rsa; p={key(2048)}"
SHORT = f"v=DKIM1; p={key(1024)}"


class Names:
    """A name server with these records; what is not there does not exist, and ``broken`` names fail."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            wire, peer = self._socket.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            question = query.question[0]
            name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
            self.asked.append(name)
            found = self.records.get((name, kind))
            if name in self.broken:
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif found:
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
            elif not any(known == name for known, _ in self.records):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.sendto(answer.to_wire(), peer)

    def text(self, name: str, *texts: str) -> None:
        """TXT records, in pieces of 255 characters."""
        self.records[name, "TXT"] = [
            " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255)) for text in texts
        ]

    def close(self) -> None:
        host, _, port = self.address.partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as goodbye:
            goodbye.sendto(b"", (host, int(port)))
        self._thread.join(5)
        self._socket.close()


@pytest.fixture
def names(settings: Any) -> Iterator[Names]:
    """The DNS as it should be for acme.example."""
    server = Names()
    settings.DNS_NAMESERVERS = [server.address]
    server.text("acme.example", "v=spf1 include:spf.mtasv.net -all", "something else")
    server.text("spf.mtasv.net", "v=spf1 ip4:192.0.2.0/24 ~all")
    server.text("pm._domainkey.acme.example", LONG)
    server.text("_dmarc.acme.example", "v=DMARC1; p=quarantine")
    server.records["acme.example", "MX"] = ["10 mx.acme.example."]
    server.records["mx.acme.example", "A"] = ["192.0.2.1"]
    yield server
    server.close()


def look(domain: str = "acme.example", target: str = "none") -> dict[str, Record]:
    found = examine(domain, selectors=["pm"], provider="postmark", target=target)
    return {record.purpose: record for record in found.records}


@pytest.mark.django_db
def test_a_domain_in_order_passes(names: Names) -> None:
    found = examine("acme.example", selectors=["pm"], provider="postmark", target="quarantine")
    assert [(record.purpose, record.status) for record in found.records] == [
        ("spf", "pass"),
        ("dkim", "pass"),
        ("dmarc", "pass"),
        ("mx", "pass"),
    ]
    assert (found.status, found.checks["spf"]["lookups"], found.checks["spf"]["all"]) == ("pass", 1, "fail")
    assert found.checks["dmarc"]["policy"] == "quarantine"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "texts", "purpose", "status"),
    [
        ("acme.example", [], "spf", "fail"),
        ("acme.example", ["v=spf1 include:spf.mtasv.net -all", "v=spf1 -all"], "spf", "fail"),
        ("acme.example", ["v=spf1 include:spf.mtasv.net +all"], "spf", "fail"),
        ("acme.example", ["v=spf1 ip4:192.0.2.1 -all"], "spf", "fail"),
        ("acme.example", ["v=spf1 include:spf.mtasv.net ?all"], "spf", "warn"),
        ("acme.example", ["v=spf1 include:spf.mtasv.net ip4:nonsense -all"], "spf", "fail"),
        ("pm._domainkey.acme.example", [], "dkim", "fail"),
        ("pm._domainkey.acme.example", ["v=DKIM1; p="], "dkim", "fail"),
        ("pm._domainkey.acme.example", ["v=DKIM1; p=nonsense"], "dkim", "fail"),
        ("pm._domainkey.acme.example", [SHORT], "dkim", "warn"),
        ("_dmarc.acme.example", [], "dmarc", "fail"),
        ("_dmarc.acme.example", ["v=DMARC1; p=perhaps"], "dmarc", "fail"),
        ("_dmarc.acme.example", ["v=DMARC1; p=none"], "dmarc", "pass"),
    ],
)
def test_what_is_wrong_is_said(names: Names, name: str, texts: list[str], purpose: str, status: str) -> None:
    names.text(name, *texts) if texts else names.records.pop((name, "TXT"))
    assert look()[purpose].status == status


@pytest.mark.django_db
def test_too_many_lookups_and_a_weak_policy(names: Names) -> None:
    includes = " ".join(f"include:i{number}.example" for number in range(11))
    names.text("acme.example", f"v=spf1 include:spf.mtasv.net {includes} -all")
    for number in range(11):
        names.text(f"i{number}.example", "v=spf1 ip4:192.0.2.1 -all")
    found = look(target="reject")
    assert (found["spf"].status, found["dmarc"].status) == ("fail", "warn")
    # It stops at the limit and does not follow whatever a stranger names.
    assert "i10.example" not in names.asked


@pytest.mark.django_db
def test_silence_is_not_taken_for_an_answer(names: Names) -> None:
    names.broken |= {"acme.example", "pm._domainkey.acme.example", "_dmarc.acme.example"}
    found = examine("acme.example", selectors=["pm"], provider=None, target="none")
    assert {record.status for record in found.records} == {"unknown"}
    # A provider's record that cannot be read says nothing about the company's own.
    names.broken = {"spf.mtasv.net"}
    assert look()["spf"].status == "unknown"


@pytest.mark.django_db
def test_nobody_sends_from_a_free_mail_address(names: Names) -> None:
    names.text("gmail.com", "v=spf1 -all")
    found = examine("gmail.com", selectors=[], provider=None, target="none")
    assert (found.checks["free_mail_from"], found.status) == (True, "fail")


def test_it_is_asked_in_a_job_and_answered_from_what_was_kept(alice: Api, bob: Api, names: Names) -> None:
    body = {"domain": "Acme.Example", "dkimSelectors": ["pm"], "provider": "postmark"}
    answer = alice.call("PUT", PATH, body).json()["data"]
    assert (answer["status"], answer["domain"], answer["expectedSpfInclude"]) == (
        "pending",
        "acme.example",
        "spf.mtasv.net",
    )
    assert names.asked == []
    dispatcher.drain()
    shown = bob.get(PATH).json()["data"]
    assert (shown["status"], shown["checks"]["spf"]["status"]) == ("pass", "pass")
    assert {record["purpose"] for record in shown["records"]} == {"spf", "dkim", "dmarc", "mx"}
    assert bob.get("/settings/email/status").json()["data"]["sections"]["deliverability"] == {
        "status": "pass",
        "spf": "pass",
        "dkim": "pass",
        "dmarc": "pass",
    }
    count = len(names.asked)
    bob.get(PATH)
    assert len(names.asked) == count
    waits = OutboxRow.objects.get(reaction=CHECK_DOMAIN).available_at - timezone.now()
    assert timedelta(hours=23) < waits <= WHEN_FINE
    # An empty change has it asked now, on the one job there is.
    assert alice.call("PATCH", PATH, {}).json()["data"]["status"] == "pending"
    names.records.pop(("_dmarc.acme.example", "TXT"))
    dispatcher.drain()
    assert bob.get(PATH).json()["data"]["checks"]["dmarc"]["status"] == "fail"
    waits = OutboxRow.objects.get(reaction=CHECK_DOMAIN).available_at - timezone.now()
    assert timedelta(minutes=14) < waits <= FIRST_RETRY
    assert "dmarc_failed" in bob.get("/settings/email/status").json()["data"]["warnings"]


def test_what_stays_wrong_is_asked_ever_less_and_then_not_at_all() -> None:
    now = timezone.now()
    waits = [(_again(tries, now, now) or now) - now for tries in range(1, 8)]
    assert waits[:4] == [FIRST_RETRY * 2**power for power in range(4)]
    assert waits[-1] == LONGEST_RETRY
    assert _again(9, now - timedelta(days=8), now) is None


def test_without_a_domain_nobody_is_asked(alice: Api, names: Names) -> None:
    alice.call("PUT", PATH, {"domain": "acme.example"})
    assert alice.call("PUT", PATH, {"domain": None}).json()["data"]["status"] == "not_set"
    dispatcher.drain()
    assert names.asked == []
    with bind(alice.tenant.ref):
        assert not DomainCheck.objects.exists()
