"""What records that may be the same have in common: keys by which one finds the others.

A true pair shares at least one of them although fields are misspelt or missing, and
no key is shared by many. In a tenant of a million people a birthday has about 50, a
full name a few, the sounds of a name with a postcode about one; a common full name
has hundreds, of which those are looked at first that share more.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from registry.matching.records import Comparable

MOST_KEYS: Final = 24
LONGEST: Final = 120
_SOUNDS: Final = {
    sign: sound
    for sound, signs in {"1": "bfpv", "2": "cgjkqsxz", "3": "dt", "4": "l", "5": "mn", "6": "r"}.items()
    for sign in signs
}


def match_keys(record: Comparable) -> list[str]:
    """In no particular order, each once."""
    keys = dict.fromkeys(key[:LONGEST] for key in _keys(record))
    return list(keys)[:MOST_KEYS]


def _keys(record: Comparable) -> Iterator[str]:
    if record.mailbox:
        yield f"e:{record.mailbox}"
    yield from (f"t:{phone}" for phone in sorted(record.phones))
    yield from (f"c:{code}" for code in sorted(record.codes))
    yield from _of_names(record)
    if record.born:
        yield f"b:{record.born}"
        # The month or the day may be wrong, and the year then still goes with a name.
        yield from (f"y:{record.born[:4]}{record.born[8:]}:{sound(word)}" for word in record.name[:3])
        yield from (f"y:{record.born[:7]}:{sound(word)}" for word in record.name[:3])
    if record.street and record.number:
        yield f"s:{record.number}:{sound(record.street[0])}:{record.postcode or sound(record.city)}"
        yield f"r:{record.number}:{' '.join(sorted(record.street))}"


def _of_names(record: Comparable) -> Iterator[str]:
    words = record.name[:4]
    if not words:
        return
    if record.is_person:
        yield f"n:{' '.join(sorted(words))}"
    else:
        yield f"n:{' '.join(words)}"
        yield f"k:{''.join(words)[:12]}"
        yield f"w:{''.join(sound(word) for word in words)}"
    if len(words) == 1:
        # Nothing goes with it, so it is taken in two ways that one slip leaves one of.
        yield f"w:{sound(words[0])}:{len(words[0]) // 3}"
        yield f"x:{words[0][:3]}:{words[0][-2:]}"
    elif not words[0].isascii():
        yield from (f"z:{word}" for word in words if len(word) > 3)
    for one, other in combinations(sorted({sound(word) for word in words if len(word) > 1}), 2):
        yield f"q:{one}{other}"
    if record.postcode:
        yield from (f"p:{record.postcode}:{sound(word)}" for word in words[:3])


def sound(word: str) -> str:
    """American Soundex of the first word; what has no Latin letters stands for itself."""
    letters = [sign for sign in word.partition(" ")[0] if sign.isalnum()]
    if not letters or not letters[0].isascii():
        return word[:6]
    code, last = letters[0], _SOUNDS.get(letters[0], "")
    for sign in letters[1:]:
        now = _SOUNDS.get(sign, "")
        if now and now != last:
            code += now
        if sign not in "hw":
            last = now
    return code[:4].ljust(4, "0")
