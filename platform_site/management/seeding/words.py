"""Names and sentences to choose from, and chance that is the same for the same seed."""

import random
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

FIRST: Final = """
    Ada Amir Anna Aoife Ben Carla Chen Clara Dana David Dmitri Elena Emil Emma Farid Fatima Felix Grace Hana
    Hugo Ines Isaac Ivan Jana Jonas Julia Kai Karim Laura Leo Lin Lucas Maja Marco Maria Mei Milan Mira Nadia
    Noah Nora Olga Omar Paul Petra Priya Rosa Ruben Sara Selim Sofia Sven Tara Theo Tom Uma Vera Viktor Wei
    Yara Zoe
""".split()  # noqa: SIM905 - a paragraph is easier to read than quotes
LAST: Final = """
    Abbas Alvarez Andersson Bauer Becker Bianchi Brown Carter Castro Chen Costa Demir Dubois Eriksson Evans
    Fischer Fontaine Garcia Gruber Haddad Hansen Hoffmann Horvat Ibrahim Ivanova Jansen Jensen Johnson Kaya
    Keller Khan Kim Kowalski Kumar Larsen Lee Lehmann Lopez Maier Martin Meyer Moreau Nguyen Novak Okafor
    Olsen Park Patel Petrov Popescu Quinn Rossi Russo Sato Schmidt Silva Singh Smith Suzuki Tanaka Thomas
    Torres Vogel Wagner Wang Weber Williams Wilson Wolf Yilmaz Young Zhang Zimmermann
""".split()  # noqa: SIM905 - a paragraph is easier to read than quotes
_FIRM: Final = """
    Alder Amber Aspen Birch Bright Cedar Clear Copper Delta Harbor Iron Juniper Lake Maple North Oak Open
""".split()  # noqa: SIM905 - a paragraph is easier to read than quotes
_FIELD: Final = """
    water field stone bridge light works point gate ridge wood path line forge mill
""".split()  # noqa: SIM905 - a paragraph is easier to read than quotes
_KIND: Final = """
    Foods Logistics Health Design Energy Systems Media Partners Tools Travel Supply Labs
""".split()  # noqa: SIM905 - a paragraph is easier to read than quotes
CHANNELS: Final = """
    General Announcements Sales Support Product Design Marketing Finance Hiring Office Random Releases
    Partners Customers Ideas Events Quality Onboarding
""".split()  # noqa: SIM905 - a paragraph is easier to read than quotes
CITIES: Final = """
    Berlin Vienna Zurich Paris Lyon Madrid Porto Milan Oslo Malmo Gdansk Prague Dublin Leeds Ghent
""".split()  # noqa: SIM905 - a paragraph is easier to read than quotes
_OPENINGS: Final = (
    "Morning all,", "Quick one:", "FYI:", "Does anybody know whether", "Heads up:", "Just saw that",
    "Reminder:", "Thanks,", "Good news:", "Question:",
)  # fmt: skip
_ABOUT: Final = (
    "the quarterly report", "the new contract", "the demo on Thursday", "the invoice from last week",
    "the onboarding", "the release", "the customer in Leipzig", "the price list", "the workshop",
    "the roadmap", "the support queue",
)  # fmt: skip
_SAYING: Final = (
    "is ready for review", "needs one more look", "has moved to next week", "went out this morning",
    "is done", "is waiting for an answer", "looks much better now", "has two open questions",
    "is in the shared folder",
)  # fmt: skip
EVENTS: Final = (
    ("sales", "deal", "deal_opened"), ("sales", "deal", "deal_won"), ("sales", "call", "call_logged"),
    ("support", "ticket", "ticket_opened"), ("support", "ticket", "ticket_solved"), ("web", "visit", "page_viewed"),
    ("web", "form", "form_sent"), ("mail", "campaign", "mail_opened"), ("billing", "invoice", "invoice_paid"),
)  # fmt: skip


def chance(*parts: object) -> random.Random:
    """Chance of its own for each purpose, so that more of one thing does not change another."""
    return random.Random(":".join(map(str, parts)))  # noqa: S311 - demo data


def company(chooser: random.Random, number: int) -> tuple[str, str]:
    """A name, and a slug that no other number has."""
    firm, kind = f"{chooser.choice(_FIRM)}{chooser.choice(_FIELD)}", chooser.choice(_KIND)
    return f"{firm} {kind}", f"{firm}-{kind}-{number}".lower()


def person(chooser: random.Random, number: int, domain: str) -> tuple[str, str, str]:
    """First and last name, and an address that no other number has."""
    first, last = chooser.choice(FIRST), chooser.choice(LAST)
    return first, last, f"{first}.{last}.{number}@{domain}".lower()


def sentence(chooser: random.Random) -> str:
    text = f"{chooser.choice(_OPENINGS)} {chooser.choice(_ABOUT)} {chooser.choice(_SAYING)}."
    # Some have more to say.
    more = chooser.choice((0, 0, 0, 1, 3))
    return " ".join([text, *(f"{chooser.choice(_ABOUT).capitalize()} {chooser.choice(_SAYING)}." for _ in range(more))])


def moments(chooser: random.Random, count: int, since: datetime, until: datetime) -> list[datetime]:
    """So many, in their order."""
    span = (until - since).total_seconds()
    return [since + timedelta(seconds=at) for at in sorted(chooser.uniform(0, span) for _ in range(count))]


def id_at(chooser: random.Random, moment: datetime) -> UUID:
    """A UUIDv7 as it would have been made then."""
    milliseconds = int(moment.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    rest = 0x7 << 76 | chooser.getrandbits(12) << 64 | 0b10 << 62 | chooser.getrandbits(62)
    return UUID(int=milliseconds << 80 | rest)
