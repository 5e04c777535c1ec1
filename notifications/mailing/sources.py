"""The default texts of every event, in the form in which a company writes its own, and the names that they know."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from platform_site.notification_events import EMAIL, NotificationEvent

# What every mail's texts know beside the event's own names; each with an example and what it is.
COMMON: Final[Mapping[str, tuple[Any, str]]] = {
    "user": ({"name": "Jane Doe", "email": "jane@northwind.example"}, "Who gets the mail."),
    "company": ({"name": "Northwind"}, "The company."),
    "product": ("Platform", "The product's name."),
    "actionUrl": ("https://app.platform.test/home", "Where the button leads; empty when there is nothing to open."),
}


@dataclass(frozen=True, slots=True)
class Source:
    """Liquid texts. In the app there are a title, which is ``subject``, and one text; no HTML."""

    subject: str
    body_html: str
    body_text: str


def default_source(event: NotificationEvent, channel: str) -> Source:
    """What is used unless the company wrote its own."""
    if channel != EMAIL:
        return Source(event.title, "", event.body)
    html = [f"<h1>{event.title}</h1>"]
    text = [event.title]
    if event.body:
        html.append(f"<p>{event.body}</p>")
        text.append(event.body)
    html_button = '<p><a class="button" href="{{ actionUrl }}">Open</a></p>'
    html.append("{% if actionUrl %}" + html_button + "{% endif %}")
    text.append("{% if actionUrl %}{{ actionUrl }}{% endif %}")
    return Source(event.title, "\n".join(html), "\n\n".join(text))


def base_version(source: Source) -> str:
    """Changes whenever the default does."""
    joined = "\x1f".join((source.subject, source.body_html, source.body_text))
    return sha256(joined.encode()).hexdigest()[:16]


def sample_of(event: NotificationEvent, channel: str) -> dict[str, Any]:
    """An example of everything that the texts know. The event's own names go before the common ones."""
    common = {name: example for name, (example, _) in COMMON.items()} if channel == EMAIL else {}
    return {**common, **event.sample}
