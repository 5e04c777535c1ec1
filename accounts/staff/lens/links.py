"""What leads from one page of the lens to another."""

from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from accounts.staff.lens.panels import Cell

NOTHING = "-"


def address(model: type[Model], key: int | str | UUID) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=(quote(key),))


def list_address(model: type[Model], **lookups: object) -> str:
    """The list under these filters, which its admin allows."""
    where = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{where}?{urlencode(lookups)}"


def link(text: object, where: str) -> SafeString:
    looks = "font-medium hover:underline text-primary-600 dark:text-primary-500"
    return format_html('<a class="{}" href="{}">{}</a>', looks, where, text)


def person_link(person: User | None) -> str:
    return NOTHING if person is None else link(person.display_name, address(User, person.pk))


def person_cell(person: User | None) -> Cell:
    return Cell(NOTHING) if person is None else Cell(person.display_name, address(User, person.pk))


def people_by_uuid(ids: Iterable[UUID | None]) -> dict[UUID | None, User]:
    """Those of these who are people of the tenant: one query, none for nobody."""
    wanted = {one for one in ids if one}
    return {one.uuid: one for one in User.objects.filter(uuid__in=wanted)} if wanted else {}
