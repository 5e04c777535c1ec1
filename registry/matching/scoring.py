"""How likely it is that two records are the same one, and why.

Each thing that both say adds weight, in bits: the logarithm of how much likelier it
is of one person than of two (Fellegi and Sunter, 1969). The weights are those of
everyday data: of two people one in a thousand pairs has the same surname, one in
twenty thousand the same birthday. What is missing on one side says nothing. What
people of one household share counts once, because it tells a family, not a person.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler
from rapidfuzz.fuzz import token_set_ratio

from registry.matching.records import Comparable

# From here on a record is shown to who asks about another one, and from here on a pair is proposed to be decided.
VISIBLE: Final = 0.01
POSSIBLE: Final = 0.5
# How much has to speak for two records before they are as likely one as two.
_PRIOR: Final = 13.0
# What a household can weigh at most: it is the same for all who live there.
_HOUSEHOLD: Final = 14.0
# Of a longer name the first words are compared.
_MOST_WORDS: Final = 4
_OF_NAMESAKES: Final = 8.0
_OF_RELATIVES: Final = 3.0
_SEEN_AS_FAMILY: Final = 6.0
_NICKNAMES: Final = {
    name: group
    for group, names in enumerate(
        line.split()
        for line in """
        robert bob rob bobby robbie
        william bill will billy liam
        elizabeth liz beth betty eliza lisa elisabeth
        margaret meg maggie peggy
        richard rick dick richie
        james jim jimmy jamie
        john jack johnny jon jonathan
        katherine kate kathy katie catherine cathy kathryn
        thomas tom tommy
        michael mike mick micky
        edward ed eddie ted
        joseph joe joey
        charles charlie chuck
        daniel dan danny
        david dave
        anthony tony
        alexander alex sasha
        samuel sam
        benjamin ben
        christopher chris
        matthew matt
        nicholas nick
        andrew andy drew
        patricia pat patty trish
        susan sue susie
        jennifer jen jenny
        deborah deb debbie
        steven steve stephen
        gregory greg
        """.strip().splitlines()
    )
    for name in names
}


@dataclass(frozen=True, slots=True)
class Score:
    """``value`` is between 0 and 1; ``reasons`` have a code, a field and a weight in bits, the weightiest first."""

    value: float
    reasons: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class _Reason:
    field: str
    code: str
    weight: float


def score(one: Comparable, other: Comparable) -> Score:
    """The same in both directions. Records of different classes are never the same one."""
    if one.entity_class != other.entity_class:
        return Score(0.0)
    reasons = list(_reasons(one, other))
    codes = {reason.field: reason.code for reason in reasons}
    otherwise = "different" in (codes.get("givenName"), codes.get("name"))
    # Somebody may have another first name in another app, or a birthday that was mistyped. Who has both is more likely
    # somebody else of the family, of whom surname and address say nothing.
    relatives = otherwise and codes.get("dateOfBirth") not in ("same", "alike")
    at_home = _SHARED_AT_HOME | {"familyName"} if relatives else _SHARED_AT_HOME
    shared = sum(reason.weight for reason in reasons if reason.field in at_home)
    own = sum(reason.weight for reason in reasons if reason.field not in at_home)
    most = _OF_RELATIVES if relatives else _OF_NAMESAKES if otherwise else _HOUSEHOLD
    bits = own + min(shared, most)
    if otherwise and shared >= _HOUSEHOLD:
        # Whoever looks at somebody wants to see who else of that name is there, as somebody else.
        bits = max(bits, _PRIOR - _SEEN_AS_FAMILY)
    value = 1 / (1 + 2.0 ** -max(-60.0, min(60.0, bits - _PRIOR)))
    ordered = sorted(reasons, key=lambda reason: (-abs(reason.weight), reason.field))
    return Score(
        round(value, 6),
        tuple(
            {"code": reason.code, "field": reason.field, "weight": round(reason.weight, 1)}
            for reason in ordered
            if reason.weight
        ),
    )


_SHARED_AT_HOME: Final = frozenset({"street", "number", "city", "postcode", "region", "phone"})


def _reasons(one: Comparable, other: Comparable) -> Iterator[_Reason]:
    yield from _names(one, other)
    yield from _email(one, other)
    if one.phones and other.phones:
        same = bool(one.phones & other.phones)
        yield _Reason("phone", "same" if same else "different", 10.0 if same else -0.5)
    yield from _born(one.born, other.born)
    yield from _codes(one, other)
    yield from _text("city", one.city, other.city, same=4.0, alike=2.5, different=-1.5)
    yield from _short("postcode", one.postcode, other.postcode, same=7.0, alike=3.5, different=-2.0)
    yield from _text("region", one.region, other.region, same=1.5, alike=1.0, different=-1.0)
    yield from _street(one, other)
    yield from _short("number", one.number, other.number, same=3.5, alike=1.0, different=-1.0)
    yield from _text("company", one.company, other.company, same=5.0, alike=3.0, different=-0.5)
    yield from _others(one, other)


def _names(one: Comparable, other: Comparable) -> Iterator[_Reason]:
    if not one.name or not other.name:
        return
    if not one.is_person:
        yield from _company_name(one, other)
        return
    if one.given and other.given and one.family and other.family:
        straight = [
            _Reason("givenName", *_word(_joined(one.given), _joined(other.given), _GIVEN)),
            _Reason("familyName", *_word(_joined(one.family), _joined(other.family), _FAMILY)),
        ]
        # Neither is a first name or a surname for sure then, so both weigh the same, whoever asks.
        turned = sorted(
            [
                _word(_joined(one.given), _joined(other.family), _ANY),
                _word(_joined(one.family), _joined(other.given), _ANY),
            ]
        )
        weight = sum(weight for _, weight in turned)
        if weight <= sum(reason.weight for reason in straight):
            yield from straight
        elif "different" in (code for code, _ in turned):
            yield _Reason("name", "different", min(weight, -4.0))
        else:
            yield _Reason("name", "turned", weight)
        return
    code, weight = _words(one.name, other.name)
    yield _Reason("name", code, weight)


@dataclass(frozen=True, slots=True)
class _Weights:
    same: float
    alike: float
    somewhat: float
    different: float


_GIVEN: Final = _Weights(6.5, 5.0, 2.0, -6.0)
_FAMILY: Final = _Weights(9.0, 6.5, 3.0, -4.0)
# A word of a name of which nobody said what it is.
_ANY: Final = _Weights(7.5, 5.5, 2.0, -4.5)


def _joined(words: tuple[str, ...]) -> str:
    return "".join(words)


def _word(one: str, other: str, weights: _Weights) -> tuple[str, float]:
    if one == other:
        # Short words are many people's.
        return "same", weights.same if len(one) > 2 else weights.same / 2
    if one[:1] == other[:1] and min(len(one), len(other)) == 1:
        return "initial", weights.somewhat
    if _NICKNAMES.get(one, -1) == _NICKNAMES.get(other, -2):
        return "nickname", weights.alike
    distance = DamerauLevenshtein.distance(one, other, score_cutoff=2)
    longer = max(len(one), len(other))
    if (distance == 1 and longer > 3) or (distance == 2 and longer > 7):
        return "alike", weights.alike
    if distance == 1 and longer == 3:
        return "somewhat_alike", weights.somewhat
    near = JaroWinkler.similarity(one, other)
    if near >= 0.9:
        return "alike", weights.alike
    if near >= 0.82:
        return "somewhat_alike", weights.somewhat
    return "different", weights.different


def _words(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, float]:
    """Words of two names, each with the one that makes the whole most alike; what is left over says little."""
    fewer, more = sorted([one[:_MOST_WORDS], other[:_MOST_WORDS]], key=lambda words: (len(words), words))
    judged = {(mine, theirs): _word(mine, theirs, _ANY) for mine in fewer for theirs in more}
    best = max(
        (sorted(judged[pair] for pair in zip(fewer, chosen, strict=True)) for chosen in permutations(more, len(fewer))),
        key=lambda found: (sum(weight for _, weight in found), found),
    )
    codes = [code for code, _ in best]
    left = len(more) - len(fewer)
    total = sum(weight for _, weight in best) - 0.75 * left
    if all(code == "same" for code in codes):
        return ("part" if left else "same"), total
    if "different" in codes:
        # One word in common and another in its place: two of a family, or of a first name.
        return "different", min(total, -4.0)
    return "alike", total


def _company_name(one: Comparable, other: Comparable) -> Iterator[_Reason]:
    mine, theirs = " ".join(one.name), " ".join(other.name)
    if mine == theirs or mine.replace(" ", "") == theirs.replace(" ", ""):
        yield _Reason("name", "same", 14.5)
        return
    near = token_set_ratio(mine, theirs) if min(len(one.name), len(other.name)) > 1 else 0.0
    spelt = 100 * JaroWinkler.similarity(mine, theirs)
    if DamerauLevenshtein.normalized_similarity(mine, theirs) >= 0.88:
        yield _Reason("name", "alike", 13.5 if len(mine) > 9 else 11.0)
    elif near >= 95 or spelt >= 92:
        yield _Reason("name", "somewhat_alike", 6.0)
    else:
        yield _Reason("name", "different", -6.0)


def _email(one: Comparable, other: Comparable) -> Iterator[_Reason]:
    if not one.mailbox or not other.mailbox:
        return
    if one.email == other.email:
        yield _Reason("email", "same", 18.0)
        return
    if one.mailbox == other.mailbox:
        yield _Reason("email", "same_mailbox", 16.0)
        return
    mine, theirs = (mailbox.rpartition("@")[0] for mailbox in (one.mailbox, other.mailbox))
    if mine == theirs and len(mine) > 6:
        yield _Reason("email", "same_local_part", 4.0)
    elif DamerauLevenshtein.distance(one.mailbox, other.mailbox, score_cutoff=1) <= 1 and len(mine) > 4:
        yield _Reason("email", "alike", 5.0)
    else:
        yield _Reason("email", "different", -0.5)


def _born(one: str, other: str) -> Iterator[_Reason]:
    if not one or not other:
        return
    if one == other:
        yield _Reason("dateOfBirth", "same", 11.0)
    elif DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1 or (
        one[:4] == other[:4] and one[5:7] == other[8:] and one[8:] == other[5:7]
    ):
        yield _Reason("dateOfBirth", "alike", 4.5)
    elif sum((one[:4] == other[:4], one[5:7] == other[5:7], one[8:] == other[8:])) == 2:
        yield _Reason("dateOfBirth", "somewhat_alike", 1.5)
    elif DamerauLevenshtein.distance(one, other, score_cutoff=3) <= 3:
        yield _Reason("dateOfBirth", "different", -5.0)
    else:
        yield _Reason("dateOfBirth", "another", -13.0)


def _codes(one: Comparable, other: Comparable) -> Iterator[_Reason]:
    """Apps call one number by many names, so it is the numbers that are compared. Somebody may have several."""
    if not one.codes or not other.codes:
        return
    if one.codes & other.codes:
        yield _Reason("nationalId", "same", 17.0)
    elif any(
        DamerauLevenshtein.distance(mine, theirs, score_cutoff=1) <= 1 for mine in one.codes for theirs in other.codes
    ):
        yield _Reason("nationalId", "alike", 8.0)
    else:
        yield _Reason("nationalId", "different", -12.0)


def _street(one: Comparable, other: Comparable) -> Iterator[_Reason]:
    if not one.street or not other.street:
        return
    near = token_set_ratio(" ".join(one.street), " ".join(other.street))
    if near >= 97:
        yield _Reason("street", "same", 7.5)
    elif near >= 82:
        yield _Reason("street", "alike", 5.0)
    else:
        yield _Reason("street", "different", -1.5)


def _text(field: str, one: str, other: str, *, same: float, alike: float, different: float) -> Iterator[_Reason]:
    if not one or not other:
        return
    if one == other:
        yield _Reason(field, "same", same)
    elif JaroWinkler.similarity(one, other) >= 0.88:
        yield _Reason(field, "alike", alike)
    else:
        yield _Reason(field, "different", different)


def _short(field: str, one: str, other: str, *, same: float, alike: float, different: float) -> Iterator[_Reason]:
    if not one or not other:
        return
    if one == other:
        yield _Reason(field, "same", same)
    elif DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1:
        yield _Reason(field, "alike", alike)
    else:
        yield _Reason(field, "different", different)


def _others(one: Comparable, other: Comparable) -> Iterator[_Reason]:
    """Fields that nobody told us about: together they say a little."""
    total, names = 0.0, []
    for name in sorted(one.others.keys() & other.others.keys()):
        mine, theirs = one.others[name], other.others[name]
        if mine == theirs and len(mine) > 3:
            total += 2.0
            names.append(name)
        elif mine != theirs:
            total -= 0.3
    if names or total:
        yield _Reason("others", "same" if names else "different", max(-2.0, min(6.0, total)))
