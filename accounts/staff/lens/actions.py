"""What staff do to one thing: a button, a dialog that asks for a reason, and a service of the app's own.

It is carried out and written down as what they do in the public admin (``accounts.staff.actions``). The lens adds
that a staff session is open, and a line in the history of the thing.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from accounts.staff.actions import Asked, carry_out, explain
from accounts.staff.forms import reason_field
from accounts.staff.lens.permits import open_session
from accounts.staff.rights import staff_of
from accounts.staff.roles import StaffRole
from platform_site.binding import require_tenant
from platform_site.errors import PlatformError

# Gets the admin, the request, and the thing; says what was done.
Doing = Callable[[Any, HttpRequest, Any], str]


class WhyForm(BaseDialogForm):
    reason = reason_field("The customer reads it in the audit log.")


def staff_action(*, name: str, label: str, explanation: str, icon: str, danger: bool = False) -> Callable[[Doing], Any]:
    """An action of a detail page. ``name`` stands in the audit; ``explanation`` says what will happen.

    What a service refuses is shown beside the reason. The decorated function gives a sentence.
    """
    dialog = {"title": label, "description": explanation, "form_class": WhyForm, "form_submit_text": label}

    def decorate(doing: Doing) -> Any:
        def run(admin: Any, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
            subject = admin.get_object(request, unquote(object_id))
            if subject is None:
                raise Http404
            try:
                done = work(admin, request, subject, doing, name=name, reason=form.cleaned_data["reason"])
            except PlatformError as refused:
                # The dialog shows complaints at fields alone.
                explain(form, refused, otherwise="reason")
                return render(
                    request,
                    "unfold/helpers/dialog.html",
                    {"dialog": dialog, "form": form, "form_submit_text": label},
                )
            messages.success(request, done)
            return _go(request, admin.address_after(subject))

        run.__name__ = doing.__name__
        variant = ActionVariant.DANGER if danger else ActionVariant.DEFAULT
        return action(
            description=label,
            permissions=["work"],
            icon=icon,
            variant=variant,
            dialog=dialog,
            url_path=doing.__name__.replace("_", "-"),
        )(run)

    return decorate


def work(admin: Any, request: HttpRequest, subject: Any, doing: Doing, *, name: str, reason: str) -> str:
    """Do it, inside the open staff session. Raises ``PermissionDenied`` without one, and what ``doing`` raises."""
    session = open_session(request)
    if session is None:
        raise PermissionDenied
    facts = {"type": admin.opts.label_lower, "id": admin.journal_id(subject)}

    def run(asked: Asked) -> str:
        done = doing(admin, request, subject)
        admin.log_change(request, subject, f"{done} {asked.reason}")
        return done

    asked = Asked(staff_of(request), require_tenant().id, reason, facts=facts, session_id=session.id)
    return carry_out(asked, name=name, needs=StaffRole.SUPPORT, run=run)


def _go(request: HttpRequest, address: str) -> HttpResponse:
    """The dialog is filled in by a script, which follows a redirect by itself and would put the page into the form."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
