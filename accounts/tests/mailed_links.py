"""What tests about mailed links share: serving what was asked for, and reading the mail."""

import re
from typing import Any

from django.core import mail
from django.db import transaction

from accounts.models import LinkToken, User
from accounts.services.links import link_create, link_token
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from tenancy.models import Tenant


def mails() -> list[Any]:
    """Everything that was mailed since the last look, after all work in the outbox was done."""
    dispatcher.drain()
    sent = list(mail.outbox)
    mail.outbox.clear()
    return sent


def token_in(message: Any) -> str:
    """The token at the end of the mail's link; the same in text and HTML."""
    found = set(re.findall(r"/(?:reset-password|verify-email|accept-invitation)/([A-Za-z0-9._-]+)", str(message.body)))
    assert len(found) == 1
    token = found.pop()
    assert token in str(message.alternatives[0][0])
    return token


def mailed_token(tenant: Tenant, kind: LinkToken.Kind, user_id: int = 1) -> str:
    """The token of a link that was made without a mail."""
    with bind(tenant.ref), transaction.atomic():
        return str(link_token(link_create(user=User.objects.get(pk=user_id), kind=kind)))


def reset_token(tenant: Tenant, user_id: int = 1) -> str:
    return mailed_token(tenant, LinkToken.Kind.RESET_PASSWORD, user_id)


def code_of(answer: Any) -> str:
    """The error's code."""
    return str(answer.json()["error"]["code"])
