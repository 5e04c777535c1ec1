"""Forms of the staff admin."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import REASON_LENGTH, superuser_keep
from platform_site import limits
from platform_site.context import current
from platform_site.errors import PlatformError


def reason_field(help_text: str) -> forms.CharField:
    """The field ``reason`` of whatever staff have to give one for; ``help_text`` says who reads it."""
    return forms.CharField(
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=help_text,
        error_messages={"required": "Give a reason."},
    )


class StaffSignInForm(AuthenticationForm):
    """Addresses are stored in lower case, and people type them as they like.

    Attempts are counted before a password is looked at, per account and per address of origin.
    """

    def clean_username(self) -> str:
        address: str = self.cleaned_data["username"]
        return address.strip().lower()

    def clean(self) -> dict[str, Any]:
        account = self.cleaned_data.get("username", "")
        try:
            limits.spend("staff_sign_in_origin", current().origin)
            limits.spend("staff_sign_in_account", account)
        except PlatformError as error:
            minutes = -(-(error.retry_after or 60) // 60)
            message = f"Too many attempts. Try again in {minutes} minutes."
            raise ValidationError(message, code="too_many_attempts") from None
        cleaned: dict[str, Any] = super().clean()
        limits.forget("staff_sign_in_account", account)
        return cleaned


class StaffCreationForm(UserCreationForm):
    class Meta:
        model = StaffUser
        fields = ("email", "first_name", "last_name", "role")


class StaffChangeForm(UserChangeForm):
    """The admin saves what this lets pass, in the transaction that checks it."""

    class Meta:
        model = StaffUser
        fields = ("email", "password", "first_name", "last_name", "role", "is_active")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        role, is_active = cleaned.get("role", self.instance.role), cleaned.get("is_active", False)
        try:
            superuser_keep(staff_id=self.instance.pk, role=StaffRole(role), is_active=is_active)
        except PlatformError as error:
            raise ValidationError(error.message, code=error.code.key) from None
        return cleaned
