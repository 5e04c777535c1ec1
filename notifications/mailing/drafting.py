"""From Liquid to the words of one mail, before the frame is put around them."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import html2text

from notifications.mailing.cleaning import clean
from notifications.mailing.overrides import LONGEST_SUBJECT
from notifications.mailing.sources import Source
from notifications.texts import TemplateError, render_body, render_html, render_text


@dataclass(frozen=True, slots=True)
class Own:
    """A company's own text; what is None is the default's."""

    subject: str | None = None
    body_html: str | None = None
    body_text: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    # Cleaned, without a frame.
    html: str
    text: str

    @property
    def preheader(self) -> str:
        """The first words that are not the subject again."""
        lines = (line.strip() for line in self.text.splitlines())
        found = (line for line in lines if line and line != self.subject and "://" not in line)
        return next(found, "")


def words(own: Own, default: Source, values: Mapping[str, Any]) -> Words:
    """Raises ``TemplateError``, also for what leaves the subject empty."""
    subject = one_line(render_text(_or(own.subject, default.subject), values, longest=LONGEST_SUBJECT))
    if not subject:
        raise TemplateError("The subject is empty.")
    html = clean(render_html(_or(own.body_html, default.body_html), values))
    if own.body_text is None and own.body_html is not None:
        text = text_of(html)
    else:
        text = _tidy(render_body(_or(own.body_text, default.body_text), values))
    return Words(subject, html, text)


def one_line(text: str) -> str:
    """Fit for a header: no control characters, whatever a value brought along."""
    return " ".join("".join(" " if unicodedata.category(one) == "Cc" else one for one in text).split())


def text_of(html: str) -> str:
    """The words of HTML, links in brackets after them."""
    reader = html2text.HTML2Text(bodywidth=0)
    reader.ignore_images = True
    reader.ignore_emphasis = True
    reader.single_line_break = False
    return _tidy(reader.handle(html)).lstrip("# ")


def _or(own: str | None, default: str) -> str:
    return default if own is None else own


def _tidy(text: str) -> str:
    """Not more than one empty line at a time."""
    parts = [part.strip("\n") for part in text.replace("\r\n", "\n").split("\n\n")]
    return "\n\n".join(part for part in parts if part.strip())
