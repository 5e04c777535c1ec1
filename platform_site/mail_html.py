"""How mails look: the layout with a company's name and colour, and styles put into the elements."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import css_inline
from django.template.loader import render_to_string

PRIMARY: Final = "#0f766e"
_WHITE, _INK, _BLACK, _DARK_CARD = "#ffffff", "#111827", "#000000", "#1a212a"
# What can be read, and what can be seen, by WCAG 2.
_READABLE: Final = 4.5
_VISIBLE: Final = 3.0
_COLOR: Final = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")

# Mail programs drop style sheets, but the rules for dark screens and small ones can only stay in one.
_INLINER: Final = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)


@dataclass(frozen=True, slots=True)
class Look:
    """Whose mail it is. Whatever colour was chosen, all that is made of it can be read, or seen, where it stands."""

    name: str
    logo_url: str = ""
    primary: str = PRIMARY
    on_primary: str = _WHITE
    link: str = PRIMARY
    link_in_dark: str = PRIMARY
    # Around a button, which may be as white as the card.
    edge: str = PRIMARY
    edge_in_dark: str = PRIMARY


def look(name: str, *, logo_url: str = "", primary: str = "") -> Look:
    """A colour that is none, and a logo that is not on https, count as not given."""
    logo_url = logo_url if logo_url.startswith("https://") else ""
    return Look(name, logo_url, **_colors(primary if _COLOR.fullmatch(primary) else PRIMARY))


def page(template: str, values: Mapping[str, Any], *, look: Look) -> str:
    """The HTML of a mail: ``template`` is the layout, or extends it."""
    return inline(render_to_string(template, {**values, "look": look}))


def inline(html: str) -> str:
    """With the styles in the elements; nothing is loaded from anywhere."""
    return _INLINER.inline(html)


@lru_cache(maxsize=1024)
def _colors(primary: str) -> dict[str, str]:
    return {
        "primary": primary,
        # Where neither of the others can be read, black just can.
        "on_primary": next(one for one in (_WHITE, _INK, _BLACK) if _contrast(primary, one) >= _READABLE),
        "link": _towards(primary, _INK, on=_WHITE, least=_READABLE),
        "link_in_dark": _towards(primary, _WHITE, on=_DARK_CARD, least=_READABLE),
        "edge": _towards(primary, _INK, on=_WHITE, least=_VISIBLE),
        "edge_in_dark": _towards(primary, _WHITE, on=_DARK_CARD, least=_VISIBLE),
    }


def _towards(color: str, end: str, *, on: str, least: float) -> str:
    """The colour, moved towards ``end`` until its contrast is enough."""
    for tenths in range(11):
        mixed = [round(a + (b - a) * tenths / 10) for a, b in zip(_parts(color), _parts(end), strict=True)]
        moved = "#" + "".join(f"{part:02x}" for part in mixed)
        if _contrast(moved, on) >= least:
            return moved
    return end


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    shares = [part / 255 for part in _parts(color)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(color: str) -> tuple[int, int, int]:
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
