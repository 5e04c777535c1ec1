"""The frame of every mail: MJML, compiled when it is changed and checked in as the template ``mail/layout.html``."""

from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parent / "layout.mjml"
COMPILED: Final = Path(__file__).parent.parent / "templates" / "mail" / "layout.html"


def compiled() -> str:
    """The Django template that ``SOURCE`` becomes. Needs mjml-python, which production has not."""
    from mjml import mjml2html

    # Without a list of its own it would load Roboto from Google for every reader.
    html: str = mjml2html(SOURCE.read_text(encoding="utf-8"), fonts={})
    return html.strip() + "\n"
