"""People of one tenant, as staff see them in the lens. Nothing that opens a door is shown."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib.admin import display
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from unfold.decorators import action

from accounts.models import ApiKey, CustomProfile, LinkToken, SecondFactor, Session, User
from accounts.selectors import search_words, with_profiles
from accounts.services.invitations import invitation_resend_by_staff
from accounts.services.password_reset import password_reset_send
from accounts.services.people import user_activate, user_deactivate
from accounts.services.sessions import sessions_revoke
from accounts.staff.addresses import impersonation_page
from accounts.staff.columns import badge, moment_text
from accounts.staff.lens.acting import staff_identity
from accounts.staff.lens.actions import staff_action
from accounts.staff.lens.finding import by_id, by_id_or_address, uuid_of
from accounts.staff.lens.links import address, link, list_address, person_link
from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.panels import ROWS, Cell, Panel
from accounts.staff.lens.site import lens
from notifications.models import Notification
from platform_site.binding import require_tenant
from platform_site.journal.admin import meaning_of
from platform_site.journal.models import JournalEntry
from platform_site.permissions import permissions

# Why a session that staff ended is over.
_BY_SUPPORT: Final = "support"
_DOABLE: Final = {
    User.Status.PENDING: ("resend_invitation", "deactivate"),
    User.Status.ACTIVE: ("impersonate", "send_reset_link", "revoke_sessions", "deactivate"),
    User.Status.INACTIVE: ("activate",),
}


def _live(sessions: "QuerySet[Session]") -> "QuerySet[Session]":
    """By the index of live ones."""
    return sessions.filter(revoked_at=None).order_by("-created_at")


def _sessions(person: User) -> Iterable[Sequence[Any]]:
    for one in _live(Session.objects.filter(user=person))[:ROWS]:
        since = Cell(moment_text(one.created_at), address(Session, one.pk))
        yield since, moment_text(one.last_used_at), one.ip, one.user_agent


def _links(person: User) -> Iterable[Sequence[Any]]:
    for one in LinkToken.objects.filter(user=person).order_by("-created_at")[:ROWS]:
        yield Cell(one.get_kind_display(), address(LinkToken, one.pk)), moment_text(one.created_at), link_state(one)


def _journal(person: User) -> Iterable[Sequence[Any]]:
    """What was done with the person and by the person: each half by its index."""
    done = JournalEntry.objects.filter(actor_id=person.uuid).order_by("-id")[:ROWS]
    suffered = JournalEntry.objects.filter(subject_type="user", subject_id=str(person.uuid)).order_by("-id")[:ROWS]
    both = {entry.id: entry for entry in [*done, *suffered]}
    for entry in sorted(both.values(), key=lambda entry: entry.id, reverse=True)[:ROWS]:
        yield Cell(moment_text(entry.at), address(JournalEntry, entry.pk)), meaning_of(entry.key), entry.impersonator


def link_state(one: LinkToken) -> str:
    """In one word: used, replaced by a newer one, expired, or open."""
    if one.used_at is not None:
        return "used"
    if one.superseded_at is not None:
        return "replaced"
    return "expired" if one.expires_at <= timezone.now() else "open"


@lens(User, "person", "people")
class UserAdmin(LensModelAdmin):
    list_display = ("name", "email", "role_shown", "status_shown", "verified", "last_sign_in_at", "created_at")
    list_filter = ("status", "role")
    search_help_text = "Part of a name or address, number, or id"
    in_quick_search = True
    export_more = ("uuid",)
    fields = (
        "name", "email", "uuid", "id", "status_shown", "role_shown", "profile_shown", "verified", "second_factor_shown",
        "phone", "timezone", "locale", "last_sign_in_at", "created_at", "updated_at", "elsewhere",
    )  # fmt: skip
    panels = (
        Panel("Signed in", ("Since", "Last used", "Address", "Device"), _sessions, "Nowhere."),
        Panel("Mailed links", ("Kind", "Sent", "State"), _links),
        Panel("Journal of this person", ("When", "What", "By staff"), _journal),
    )
    actions_detail = (
        "impersonate", "resend_invitation", "send_reset_link", "revoke_sessions", "deactivate", "activate",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        return super().get_queryset(request).defer("password", "preferences", "search_text")  # type: ignore[no-any-return]

    def fill(self, rows: Sequence[User]) -> None:
        with_profiles(rows)

    def find(self, queryset: "QuerySet[User]", term: str) -> "QuerySet[User]":
        uuid = uuid_of(term)
        if uuid is not None:
            return queryset.filter(uuid=uuid)
        if term.isascii() and term.isdigit() and len(term) < 10:
            return queryset.filter(id=int(term))
        for word in search_words(term):
            queryset = queryset.filter(search_text__contains=word)
        return queryset

    def title_of(self, subject: User) -> str:
        return subject.display_name

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What makes sense for somebody in this state; the services refuse the rest."""
        possible = super().get_actions_detail(request, object_id)
        if not possible:
            return []
        person = self.get_object(request, unquote(str(object_id)))
        names = _DOABLE.get(person.status, ()) if person is not None else ()
        return [one for one in possible if one.method.original_function_name in names]

    def journal_id(self, subject: User) -> str:
        return str(subject.uuid)

    @display(description="name")
    def name(self, person: User) -> str:
        return person.display_name

    @badge("role")
    def role_shown(self, person: User) -> str:
        return str(person.get_role_display())

    @badge(
        "status",
        {"Active": "success", "Pending": "warning", "Inactive": "danger", "Erased": "danger"},
    )
    def status_shown(self, person: User) -> str:
        return str(person.get_status_display())

    @display(description="profile")
    def profile_shown(self, person: User) -> str:
        return person.profile.name

    @display(description="address confirmed", boolean=True)
    def verified(self, person: User) -> bool:
        return person.email_verified

    @display(description="second factor")
    def second_factor_shown(self, person: User) -> str:
        return "on" if SecondFactor.objects.filter(user=person, confirmed_at__isnull=False).exists() else "off"

    @display(description="more")
    def elsewhere(self, person: User) -> str:
        return link("Notifications of this person", list_address(Notification, user__id__exact=person.id))

    @action(  # type: ignore[untyped-decorator]
        description="Sign in as this person", icon="switch_account", permissions=["work"], url_path="impersonate"
    )
    def impersonate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page that gives out a link; it is not the lens's."""
        person = self.get_object(request, unquote(object_id))
        if person is None:
            raise Http404
        return HttpResponseRedirect(impersonation_page(require_tenant().id, person.uuid))

    @staff_action(
        name="invitation.resent",
        label="Send the invitation again",
        explanation="A new link goes to the address; the old one stops working.",
        icon="forward_to_inbox",
    )
    def resend_invitation(self, request: HttpRequest, person: User) -> str:
        invitation_resend_by_staff(ref=person.id)
        return "The invitation was sent again."

    @staff_action(
        name="user.reset_link_sent",
        label="Send a reset link",
        explanation="A link for a new password goes to the address. The password stays good until it is used.",
        icon="lock_reset",
    )
    def send_reset_link(self, request: HttpRequest, person: User) -> str:
        password_reset_send(user_id=person.id)
        return "The reset link was sent."

    @staff_action(
        name="user.sessions_revoked",
        label="End all sessions",
        explanation="Every device has to sign in again, at once.",
        icon="logout",
    )
    def revoke_sessions(self, request: HttpRequest, person: User) -> str:
        live = list(_live(Session.objects.filter(user=person)).values_list("id", flat=True))
        return f"Sessions ended: {sessions_revoke(session_ids=live, reason=_BY_SUPPORT)}."

    @staff_action(
        name="user.deactivated",
        label="Deactivate",
        explanation="The person is signed out everywhere and cannot come back until activated. The seat is free.",
        icon="person_off",
        danger=True,
    )
    def deactivate(self, request: HttpRequest, person: User) -> str:
        user_deactivate(actor=staff_identity(), ref=person.id)
        return "The person is deactivated."

    @staff_action(
        name="user.activated",
        label="Activate",
        explanation="The person may sign in again and takes a seat. Whoever never accepted is invited anew.",
        icon="person_check",
    )
    def activate(self, request: HttpRequest, person: User) -> str:
        user_activate(actor=staff_identity(), ref=person.id)
        return "The person is activated."


@lens(Session, "session")
class SessionAdmin(LensModelAdmin):
    list_display = ("created_at", "person", "last_used_at", "ip", "device", "state")
    list_select_related = ("user",)
    search_help_text = "A person's whole address (live sessions), or a session's id"
    fields = (
        "id", "person", "created_at", "last_used_at", "authenticated_at", "methods", "idle_expires_at",
        "absolute_expires_at", "ip", "user_agent", "revoked_at", "revoke_reason",
    )  # fmt: skip
    actions_detail = ("end",)

    def find(self, queryset: "QuerySet[Session]", term: str) -> "QuerySet[Session]":
        return by_id_or_address(queryset, term, "user__email_key", revoked_at=None)

    def title_of(self, subject: Session) -> str:
        return f"Session of {subject.user.display_name}"

    @display(description="person")
    def person(self, session: Session) -> str:
        return person_link(session.user)

    @display(description="device")
    def device(self, session: Session) -> str:
        return session.user_agent[:60]

    @badge("state", {"live": "success", "ended": "danger", "expired": "warning"})
    def state(self, session: Session) -> str:
        if session.revoked_at is not None:
            return "ended"
        over = min(session.idle_expires_at, session.absolute_expires_at) <= timezone.now()
        return "expired" if over else "live"

    @staff_action(
        name="user.session_revoked",
        label="End this session",
        explanation="The device has to sign in again.",
        icon="logout",
    )
    def end(self, request: HttpRequest, session: Session) -> str:
        sessions_revoke(session_ids=[UUID(str(session.pk))], reason=_BY_SUPPORT)
        return "The session is over."


@lens(LinkToken, "mailed link")
class LinkTokenAdmin(LensModelAdmin):
    """Invitations, and the other links that were mailed. Not the links themselves."""

    list_display = ("created_at", "kind", "person", "sender_shown", "state", "expires_at")
    list_select_related = ("user", "sender")
    list_filter = ("kind",)
    search_help_text = "A person's whole address, or a link's id"
    fields = ("id", "kind", "person", "sender_shown", "created_at", "expires_at", "used_at", "superseded_at", "state")

    def find(self, queryset: "QuerySet[LinkToken]", term: str) -> "QuerySet[LinkToken]":
        return by_id_or_address(queryset, term, "user__email_key")

    def title_of(self, subject: LinkToken) -> str:
        return f"{subject.get_kind_display()}, {subject.user.display_name}"

    @display(description="person")
    def person(self, one: LinkToken) -> str:
        return person_link(one.user)

    @display(description="invited by")
    def sender_shown(self, one: LinkToken) -> str:
        return person_link(one.sender)

    @badge("state", {"open": "success", "expired": "danger", "used": "info"})
    def state(self, one: LinkToken) -> str:
        return link_state(one)


def _permission_names(numbers: Sequence[int]) -> str:
    return ", ".join(item.key for item in permissions if item.number in numbers) or "none"


@lens(ApiKey, "API key")
class ApiKeyAdmin(LensModelAdmin):
    list_display = ("name", "hint", "person", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("created_by",)
    search_help_text = "A key's id"
    fields = (
        "id",
        "name",
        "hint",
        "permissions_shown",
        "person",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )

    def find(self, queryset: "QuerySet[ApiKey]", term: str) -> "QuerySet[ApiKey]":
        return by_id(queryset, term)

    def title_of(self, subject: ApiKey) -> str:
        return subject.name

    @display(description="made by")
    def person(self, key: ApiKey) -> str:
        return person_link(key.created_by)

    @display(description="may")
    def permissions_shown(self, key: ApiKey) -> str:
        return _permission_names(key.permissions)


def _holders(profile: CustomProfile) -> Iterable[Sequence[Any]]:
    for person in User.objects.filter(profile_id=profile.id).order_by("-id")[:ROWS]:
        yield Cell(person.display_name, address(User, person.pk)), person.email, person.get_status_display()


@lens(CustomProfile, "profile")
class CustomProfileAdmin(LensModelAdmin):
    """The tenant's own profiles; the platform's are code."""

    list_display = ("name", "id", "description", "is_active", "updated_at")
    fields = ("id", "name", "description", "permissions_shown", "is_active", "version", "created_at", "updated_at")
    panels = (Panel("Who has it", ("Person", "Address", "Status"), _holders),)

    def title_of(self, subject: CustomProfile) -> str:
        return subject.name

    @display(description="may")
    def permissions_shown(self, profile: CustomProfile) -> str:
        return _permission_names(profile.permissions)
