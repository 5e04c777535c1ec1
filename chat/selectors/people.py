"""Whom one can write to."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat, Left, Lower, NullIf, Trim

from accounts.models import User
from accounts.selectors import search_words
from chat.presenting_people import SHOWN

Ref = int | UUID

# The order of the picker. So much of a name decides, and then the number: a whole one would not fit into a cursor.
BY_NAME: Final = ("sort_name", "id")
_DECIDES: Final = 40


def people_to_pick(*, user_id: int, search: str = "", by_address: bool = False) -> QuerySet[User]:
    """Active people but oneself, by name. Every word of ``search`` must occur in the name.

    ``by_address``: or in the address. Without it nobody learns by trying whose address it is.
    """
    rows = User.objects.filter(status=User.Status.ACTIVE).exclude(id=user_id)
    full_name = NullIf(Trim(Concat("first_name", Value(" "), "last_name")), Value(""))
    # Who has no name is shown by what is before the @.
    before_at = Func(F("email"), Value("@"), Value(1), function="split_part", output_field=TextField())
    shown = Lower(Coalesce(full_name, before_at, output_field=TextField()))
    rows = rows.annotate(shown_name=shown, sort_name=Left(shown, _DECIDES))
    for word in search_words(search):
        # In the index, and then among what may be searched.
        rows = rows.filter(search_text__contains=word)
        if not by_address:
            rows = rows.filter(shown_name__contains=word)
    return rows.only(*SHOWN).order_by(*BY_NAME)


def people_by_ref(refs: Sequence[Ref]) -> dict[Ref, User]:
    """Those of these who are here, whatever their state: by what they were named, in one query."""
    numbers = [ref for ref in refs if isinstance(ref, int)]
    uuids = [ref for ref in refs if isinstance(ref, UUID)]
    found = list(User.objects.filter(Q(id__in=numbers) | Q(uuid__in=uuids)).only(*SHOWN))
    by_ref: dict[Ref, User] = {person.id: person for person in found}
    by_ref |= {person.uuid: person for person in found}
    return {ref: by_ref[ref] for ref in refs if ref in by_ref}
