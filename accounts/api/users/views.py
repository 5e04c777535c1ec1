"""``/users``: the list, one person, and changing somebody. ``/users/me`` is ``/auth/me`` under its second name."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.api.auth import examples
from accounts.api.auth.impersonation import MeOutput
from accounts.api.auth.views import MeView
from accounts.api.serializers import UserOutput
from accounts.api.users.serializers import (
    AssignableProfileOutput,
    InviteInput,
    SeenUserOutput,
    UpdateUserInput,
    present_people,
    present_person,
)
from accounts.assignable import profiles_assignable
from accounts.catalog import USERS_DEACTIVATE, USERS_EDIT, USERS_INVITE, USERS_VIEW
from accounts.roles import Role
from accounts.selectors import people, user_find
from accounts.services.invitations import user_invite
from accounts.services.people import UserChanges, user_deactivate, user_update
from platform_site.api.docs import operation, query
from platform_site.api.pagination import PAGE_PARAMETERS, PageQuery, paginate, single_parameter
from platform_site.api.permissions import Needs
from platform_site.api.renderers import Listed
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED, VALIDATION_FAILED, FieldError, PlatformError

STATUSES = ("active", "inactive", "pending", "all")
MAX_SEARCH = 100
RIGHTS = [errors.ROLE_NOT_ASSIGNABLE, errors.PROFILE_NOT_ASSIGNABLE, errors.PROFILE_NOT_FOUND]
HERE_ALREADY = [errors.USER_EXISTS, errors.INVITATION_PENDING, errors.USER_DEACTIVATED]


class UsersView(ApiView):
    access: ClassVar = {"GET": Needs(USERS_VIEW), "POST": Needs(USERS_INVITE)}
    parameters: ClassVar = {"GET": (*PAGE_PARAMETERS, "search", "status")}
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="users_list",
        summary="People, newest first",
        description="Every word of `search` must occur in a name or the address. Without `status` all are listed"
        " but those who were deleted for good. To a plain user some fields of others are null.",
        output=SeenUserOutput,
        example=examples.USER,
        listed="page",
        parameters=[
            query("search", {"type": "string", "maxLength": MAX_SEARCH}, "Parts of names or of the address."),
            query("status", str, "Only those in this state.", enum=STATUSES),
        ],
    )
    def get(self, request: Request) -> Response:
        found = people(status=_status(request), search=_search(request))
        items, meta = paginate(found, PageQuery.from_request(request))
        return Listed(present_people(items, to=self.identity), meta)

    @operation(
        id="users_invite",
        summary="Invite somebody by mail",
        description="The person is pending and holds a seat. The mailed link works for seven days."
        " Without `profileId` the role's own profile.",
        input=InviteInput,
        output=UserOutput,
        status=201,
        example_in={
            "email": "newuser@company.com",
            "firstName": "Jane",
            "lastName": "Doe",
            "role": "user",
            "profileId": 1,
        },
        example={**examples.USER, "status": "pending", "emailVerified": False, "lastSignInAt": None},
        errors=[*RIGHTS, *HERE_ALREADY, errors.SEAT_LIMIT_REACHED, RATE_LIMITED],
    )
    def post(self, request: Request) -> Response:
        data = self.read(InviteInput)
        user = user_invite(actor=self.identity, **{**data, "role": Role(data.get("role", Role.USER))})
        location = f"/api/v1/users/{user.uuid}"
        return Response(present_person(user, to=self.identity), status=201, headers={"Location": location})


def _status(request: Request) -> str:
    status = single_parameter(request, "status") or ""
    if status and status not in STATUSES:
        message = f"Use one of {', '.join(STATUSES)}."
        raise PlatformError(VALIDATION_FAILED, details=[FieldError("status", "invalid_choice", message)])
    return status


def _search(request: Request) -> str:
    search = single_parameter(request, "search") or ""
    if len(search) > MAX_SEARCH or "\x00" in search:
        raise PlatformError(
            VALIDATION_FAILED, details=[FieldError("search", "max_length", f"Use at most {MAX_SEARCH} characters.")]
        )
    return search


class UsersMeView(MeView):
    when_unpaid = WhenUnpaid.ALWAYS

    @operation(
        id="users_me",
        summary="The signed-in user, as /auth/me gives it",
        output=MeOutput,
        example={**examples.USER, "impersonatedBy": None},
    )
    def get(self, request: Request) -> Response:
        return super().get(request)


class AssignableProfilesView(ApiView):
    access = Needs(USERS_VIEW)

    @operation(
        id="users_profiles",
        summary="The profiles that the caller may give to people",
        output=AssignableProfileOutput,
        example={"id": 3, "name": "Member", "description": "", "isSystem": True},
        listed="all",
    )
    def get(self, request: Request) -> Response:
        return Response(AssignableProfileOutput(profiles_assignable(self.identity), many=True).data)


class UserView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access: ClassVar = {
        "GET": Needs(USERS_VIEW),
        "PATCH": Needs(USERS_EDIT),
        "PUT": Needs(USERS_EDIT),
        "DELETE": Needs(USERS_DEACTIVATE),
    }

    @operation(
        id="users_get", summary="One person", output=SeenUserOutput, example=examples.USER, errors=[errors.USER_ERASED]
    )
    def get(self, request: Request, ref: int | UUID) -> Response:
        return Response(present_person(user_find(ref), to=self.identity))

    @operation(
        id="users_update",
        summary="Change somebody's name, role, profile or status",
        description="`email` can be mended until the invitation is accepted; it is then sent to the new address.",
        input=UpdateUserInput,
        output=SeenUserOutput,
        example_in={"firstName": "Jane", "role": "manager", "profileId": 2},
        example={**examples.USER, "role": "manager", "profile": {"id": 2, "name": "Manager"}},
        errors=[
            *RIGHTS,
            *HERE_ALREADY,
            errors.CANNOT_MODIFY_SUPERIOR,
            errors.CANNOT_CHANGE_OWN_ROLE,
            errors.CANNOT_DEACTIVATE_SELF,
            errors.LAST_ADMIN,
            errors.USER_PENDING,
            errors.USER_NOT_PENDING,
            errors.SEAT_LIMIT_REACHED,
            errors.USER_ERASED,
        ],
    )
    def patch(self, request: Request, ref: int | UUID) -> Response:
        data = self.read(UpdateUserInput)
        if "role" in data:
            data["role"] = Role(data["role"])
        user = user_update(actor=self.identity, ref=ref, changes=UserChanges(**data))
        return Response(present_person(user, to=self.identity))

    put = patch

    @operation(
        id="users_deactivate",
        summary="Deactivate somebody",
        description="Sessions end at once, the seat is free, and what was mailed stops working. Again is fine.",
        output=SeenUserOutput,
        example={**examples.USER, "status": "inactive"},
        errors=[errors.CANNOT_MODIFY_SUPERIOR, errors.CANNOT_DEACTIVATE_SELF, errors.LAST_ADMIN, errors.USER_ERASED],
    )
    def delete(self, request: Request, ref: int | UUID) -> Response:
        user = user_deactivate(actor=self.identity, ref=ref)
        return Response(present_person(user, to=self.identity))
