"""What staff do to one thing: a button, a reason, a service of the app's own, and two records of it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.staff.services import REASON_LENGTH
from platform_site.errors import PlatformError

# Gets the admin, the request, and the thing; says what was done.
Doing = Callable[[Any, HttpRequest, Any], str]


class WhyForm(BaseDialogForm):
    reason = forms.CharField(
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="The customer reads it in the audit log.",
    )


def staff_action(*, name: str, label: str, explanation: str, icon: str, danger: bool = False) -> Callable[[Doing], Any]:
    """An action of a detail page. ``name`` stands in the audit; ``explanation`` says what will happen.

    It asks for a reason first, and runs in one transaction with what is written down about it.
    What a service refuses is shown beside the reason. The decorated function gives a sentence.
    """
    dialog = {"title": label, "description": explanation, "form_class": WhyForm, "form_submit_text": label}

    def decorate(doing: Doing) -> Any:
        def run(admin: Any, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
            subject = admin.get_object(request, unquote(object_id))
            if subject is None:
                raise Http404
            try:
                with transaction.atomic():
                    done = doing(admin, request, subject)
                    admin.write_down(request, subject, name, reason=form.cleaned_data["reason"], done=done)
            except PlatformError as refused:
                form.add_error("reason", refused.message)
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


def _go(request: HttpRequest, address: str) -> HttpResponse:
    """The dialog is filled in by a script, which follows a redirect by itself and would put the page into the form."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
