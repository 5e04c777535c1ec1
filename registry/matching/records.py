"""A record as it is compared: what apps call in many ways, under one name each and in one spelling."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from registry.matching.normalising import (
    code_key,
    company_name_key,
    date_key,
    email_candidate_key,
    email_key,
    is_blocked,
    phone_key,
    search_key,
    words_of,
)

PERSON: Final = "person"
# How apps call fields, without case and signs. What is not here is compared as a text of its own.
SPELLINGS: Final[dict[str, str]] = {
    spelling: meaning
    for meaning, spellings in {
        "given": "givenname firstname forename given first vorname prenom",
        "middle": "middlename middle secondname",
        "family": "surname lastname familyname family last nachname nom",
        "name": "name fullname displayname",
        "email": "email emailaddress mail",
        "phone": "phone phonenumber telephone tel mobile mobilephone cell cellphone homephone workphone telefon",
        "born": "dateofbirth birthdate birthday dob born geburtsdatum",
        "street": "street streetaddress address addressline addressline1 address1 addr1 line1 strasse road",
        "more_street": "address2 addressline2 addr2 line2",
        "number": "streetnumber housenumber houseno number hausnummer",
        "city": "city town suburb locality place municipality ort stadt",
        "postcode": "postcode postalcode zip zipcode plz",
        "region": "state region province county bundesland",
        "country": "country countrycode land",
        "company": "company companyname organisation organization employer firma",
        "code": "socsecid ssn socialsecuritynumber nationalid taxid vat vatid vatnumber nin passport passportnumber",
    }.items()
    for spelling in spellings.split()
}
# What says nothing about who somebody is.
_SAYS_NOTHING: Final = frozenset(
    {"id", "recid", "createdat", "updatedat", "source", "notes", "note", "comment", "tags", "status", "owner"}
)
_LONGEST: Final = 200
_MOST_OTHERS: Final = 20
_HUGE: Final = 10**30


@dataclass(frozen=True, slots=True)
class Comparable:
    """``name`` are words; ``given`` and ``family`` are those of which an app said so. Empty is not known."""

    entity_class: str
    name: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    email: str = ""
    # The mailbox as its provider sees it; "" for one that is nobody's in particular.
    mailbox: str = ""
    phones: frozenset[str] = frozenset()
    born: str = ""
    street: tuple[str, ...] = ()
    number: str = ""
    city: str = ""
    postcode: str = ""
    region: str = ""
    company: str = ""
    # Numbers that one person has.
    codes: frozenset[str] = frozenset()
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_person(self) -> bool:
        return self.entity_class == PERSON


def comparable(*, entity_class: str, name: str, email: str, attributes: Mapping[str, Any]) -> Comparable:
    """From a record's name, address and whatever else apps say about it. Takes anything that JSON can hold."""
    known: dict[str, list[str]] = {}
    codes: dict[str, str] = {}
    others: dict[str, str] = {}
    for key, text in _texts(attributes):
        spelling = code_key(key)
        meaning = SPELLINGS.get(spelling)
        if meaning == "code":
            codes[spelling] = code_key(text)
        elif meaning is not None:
            known.setdefault(meaning, []).append(text)
        elif spelling and spelling not in _SAYS_NOTHING and len(others) < _MOST_OTHERS:
            others[spelling] = search_key(text)
    address = email or _first(known, "email")
    mailbox = "" if is_blocked(email_key(address) or "") else email_candidate_key(address) or ""
    given, family = words_of(_first(known, "given")), words_of(_first(known, "family"))
    street, number = _street(known)
    return Comparable(
        entity_class=entity_class,
        name=_name(entity_class, name or _first(known, "name"), address, given, family),
        given=given,
        family=family,
        email=email_key(address) or "",
        mailbox=mailbox,
        phones=frozenset(filter(None, map(_phone, known.get("phone", [])))),
        born=date_key(_first(known, "born")) or "",
        street=street,
        number=number,
        city=" ".join(words_of(_first(known, "city"))),
        postcode=code_key(_first(known, "postcode")),
        region=" ".join(words_of(_first(known, "region"))),
        company=company_name_key(_first(known, "company")),
        codes=frozenset(code for code in codes.values() if len(code) >= 4),
        others={key: text for key, text in others.items() if text},
    )


def _texts(attributes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values, also of one level of objects within ("address": {...}); a list gives its texts."""
    for key, value in attributes.items():
        if isinstance(value, Mapping):
            yield from ((str(inner), text) for inner, item in value.items() for text in _scalars(item))
        else:
            yield from ((str(key), text) for text in _scalars(value))


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value[:5]:
            if isinstance(item, (str, int, float)):
                yield from _scalars(item)
    elif isinstance(value, str):
        text = value.strip()[:_LONGEST]
        if text:
            yield text
    # Python writes no text of a number with thousands of digits, and it would tell nobody anything.
    elif isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < _HUGE):
        yield str(value)


def _first(known: Mapping[str, list[str]], meaning: str) -> str:
    return known[meaning][0] if meaning in known else ""


def _name(
    entity_class: str, name: str, address: str, given: tuple[str, ...], family: tuple[str, ...]
) -> tuple[str, ...]:
    # A record of whom only the address is known is called by it, and that is no name.
    if "@" in name and email_key(name) is not None and email_key(name) == email_key(address):
        name = ""
    if entity_class != PERSON:
        return tuple(company_name_key(name).split())
    words = words_of(name)
    return words or (*given, *family)


def _phone(text: str) -> str:
    """E.164 where the country is known, else the digits that stay the same without one."""
    digits = "".join(sign for sign in text if sign.isdigit())
    if len(digits) < 7:
        return ""
    return digits[-9:] if phone_key(text) is None else (phone_key(text) or "")[-9:]


def _street(known: Mapping[str, list[str]]) -> tuple[tuple[str, ...], str]:
    """Words of the street, and the number of the house."""
    words = [
        word for meaning in ("street", "more_street") for text in known.get(meaning, [])[:1] for word in words_of(text)
    ]
    number = code_key(_first(known, "number"))
    if not number:
        number = next((word for word in words if word[0].isdigit()), "")
    return tuple(word for word in words if word != number), number
