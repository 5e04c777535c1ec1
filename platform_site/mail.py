"""The platform's own mail: one message, text and HTML, under an id that a repeat keeps."""

from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from platform_site.mail_connections import send_through
from platform_site.mail_html import look, page


def send_platform_mail(*, to: str, template: str, values: dict[str, object], cause: UUID) -> None:
    """Render ``<template>.txt`` and ``.html`` and hand the mail to the mail server.

    The first line of the text is ``Subject: …``. ``cause`` is the id of the
    journal entry the mail is about; the Message-ID is made from it and the
    template, so that a mail server or a mailbox sees a repeat as the same mail.
    Raises what the mail server raises: the outbox tries again.
    """
    values = {"product": settings.PRODUCT_NAME, **values}
    head, _, text = render_to_string(f"{template}.txt", values).partition("\n")
    subject = head.removeprefix("Subject:").strip()
    name = template.rpartition("/")[2]
    message = EmailMultiAlternatives(
        subject=subject,
        body=text.strip() + "\n",
        to=[to],
        headers={
            "Message-ID": f"<{cause.hex}.{name}@{settings.MESSAGE_ID_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    shown = {"subject": subject, "heading": subject, "preheader": _first_words(text), **values}
    message.attach_alternative(page(f"{template}.html", shown, look=look(settings.PRODUCT_NAME)), "text/html")
    send_through("platform", get_connection, message)


def _first_words(text: str) -> str:
    """What a list of mails shows beside the subject: the first paragraph after the greeting."""
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return next((part for part in paragraphs if not part.startswith("Hello")), "")[:140]
