"""Forms of the staff admin."""

from unfold.forms import AuthenticationForm, UserChangeForm, UserCreationForm

from accounts.staff.models import StaffUser


class StaffSignInForm(AuthenticationForm):
    """Addresses are stored in lower case, and people type them as they like."""

    def clean_username(self) -> str:
        address: str = self.cleaned_data["username"]
        return address.strip().lower()


class StaffCreationForm(UserCreationForm):
    class Meta:
        model = StaffUser
        fields = ("email", "first_name", "last_name")


class StaffChangeForm(UserChangeForm):
    class Meta:
        model = StaffUser
        fields = "__all__"
