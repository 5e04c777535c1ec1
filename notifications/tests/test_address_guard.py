"""Whom the platform connects to when a company names a mail server."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from notifications.mailing.address_guard import AddressNotAllowed, NotResolved, connect, is_public, literal, resolve
from notifications.mailing.guarded_smtp import GuardedSmtpBackend, Server
from tests.smtp_server import smtp_server

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
ODD_FORMS = {
    "2130706433": "127.0.0.1",
    "0x7f.1": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "127.1": "127.0.0.1",
    "0": "0.0.0.0",  # noqa: S104
    "[::1]": "::1",
    "134744072": "8.8.8.8",
}
pytestmark = pytest.mark.django_db


def found(*addresses: str) -> list[tuple[Any, ...]]:
    """What getaddrinfo says of a name with these addresses."""
    return [
        (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 25)) for one in addresses
    ]


class Names:
    """The world's names; each look at one gives the next answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[tuple[Any, ...]]) -> None:
        self.answers = list(answers)
        self.asked = 0
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, *arguments: Any, **options: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_on_the_internet_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_on_the_internet_is_taken(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(("host", "address"), ODD_FORMS.items())
def test_an_address_in_an_odd_form_is_an_address(host: str, address: str) -> None:
    assert str(literal(host)) == address


@pytest.mark.parametrize("host", ["mail.example.com", "localhost", "", "1.2.3.4.5", "0x7g.1"])
def test_a_name_is_no_address(host: str) -> None:
    assert literal(host) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "::1", "::ffff:127.0.0.1"])
def test_the_systems_own_resolver_leads_to_no_loopback(host: str) -> None:
    with pytest.raises(AddressNotAllowed):
        resolve(host, 25, 5)


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, found("8.8.8.8", "2606:4700:4700::1111", "10.0.0.1"))
    with pytest.raises(AddressNotAllowed):
        resolve("mail.example.com", 25, 5)


def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, [])
    with pytest.raises(NotResolved):
        resolve("mail.example.com", 25, 5)


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    end = Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: end.wait(5) and [])
    with pytest.raises(NotResolved):
        resolve("mail.example.com", 25, 0.05)
    end.set()


def test_what_was_looked_at_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name leads to loopback the second time; nobody asks a second time."""
    names = Names(monkeypatch, found("8.8.8.8"), found("127.0.0.1"))
    places: list[Any] = []

    def refuse(self: socket.socket, place: Any) -> None:
        places.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    backend = GuardedSmtpBackend(Server("mail.example.com", 25, "", "", "none"))
    with pytest.raises(ConnectionRefusedError):
        backend.open()
    assert (places, names.asked) == ([("8.8.8.8", 25)], 1)


def test_a_name_that_leads_home_is_never_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with smtp_server() as server:
        Names(monkeypatch, [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))])
        with pytest.raises(AddressNotAllowed):
            GuardedSmtpBackend(Server("mail.example.com", server.port, "", "", "none")).open()
        assert server.connections == 0


def test_the_next_address_is_tried(settings: Any) -> None:
    settings.SMTP_ALLOW_PRIVATE = True
    with smtp_server() as server, socket.socket() as closed:
        # Bound and not listening: it refuses.
        closed.bind(("127.0.0.1", 0))
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", place)
            for place in (closed.getsockname(), ("127.0.0.1", server.port))
        ]
        with connect(both, 5) as connection:
            assert connection.getpeername()[1] == server.port
            # Its greeting: only then has it noticed us, and can let us go in order.
            assert connection.recv(3) == b"220"
