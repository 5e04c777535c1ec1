"""``/profiles``: permission profiles, and the catalogue of permissions they are made of."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.api.profiles.serializers import (
    FullProfileOutput,
    PermissionModuleOutput,
    ProfileInput,
    UpdateProfileInput,
)
from accounts.catalog import PROFILES_MANAGE, PROFILES_VIEW
from accounts.profile_list import ListedProfile, profile_shown, profiles_listed
from accounts.services.custom_profiles import (
    Expected,
    ProfileChanges,
    profile_activate,
    profile_create,
    profile_deactivate,
    profile_update,
)
from platform_site.api.docs import operation, query
from platform_site.api.pagination import single_parameter, whole_parameter
from platform_site.api.permissions import Needs
from platform_site.api.views import ApiView
from platform_site.errors import PRECONDITION_FAILED, STALE_VERSION
from platform_site.permissions import permissions

EXAMPLE = {
    "id": 101,
    "name": "Sales Manager",
    "description": "Full sales access with approval",
    "isSystem": False,
    "isActive": True,
    "userCount": 3,
    "version": 1,
    "permissions": [1, 2, 3, 4],
    "createdAt": "2026-11-23T08:00:00.000Z",
    "updatedAt": "2026-11-23T08:00:00.000Z",
}
# What a column of numbers takes.
MAX_NUMBER = 2**31 - 1
_VERSION = [STALE_VERSION, PRECONDITION_FAILED]
_CONTENT = [errors.UNKNOWN_PERMISSION, errors.PERMISSION_NOT_GRANTABLE, errors.PROFILE_NAME_TAKEN]


def present_profile(profile: ListedProfile) -> dict[str, Any]:
    shown: dict[str, Any] = FullProfileOutput(profile).data
    return shown


def _answer(profile_id: int, status: int = 200) -> Response:
    profile = profile_shown(profile_id)
    return Response(present_profile(profile), status=status, headers={"ETag": f'"{profile.version}"'})


class ProfilesView(ApiView):
    access: ClassVar = {"GET": Needs(PROFILES_VIEW), "POST": Needs(PROFILES_MANAGE)}
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="profiles_list",
        summary="Permission profiles with the number of people who have them",
        output=FullProfileOutput,
        example=EXAMPLE,
        listed="all",
    )
    def get(self, request: Request) -> Response:
        return Response([present_profile(profile) for profile in profiles_listed()])

    @operation(
        id="profiles_create",
        summary="Make a permission profile",
        input=ProfileInput,
        output=FullProfileOutput,
        status=201,
        example_in={
            "name": "Sales Manager",
            "description": "Full sales access with approval",
            "permissions": [1, 2, 3, 4],
        },
        example={**EXAMPLE, "userCount": 0},
        errors=[*_CONTENT, errors.PROFILE_LIMIT_REACHED],
    )
    def post(self, request: Request) -> Response:
        data = self.read(ProfileInput)
        made = profile_create(
            actor=self.identity,
            name=data["name"],
            description=data.get("description", ""),
            permission_numbers=data["permissions"],
        )
        return _answer(made.id, 201)


class PermissionsView(ApiView):
    access = Needs(PROFILES_VIEW)

    @operation(
        id="profiles_permissions",
        summary="Every permission there is, by module",
        output=PermissionModuleOutput,
        example={
            "module": "users",
            "permissions": [{"id": 1, "key": "users.view", "label": "See people", "minRole": "user"}],
        },
        listed="all",
    )
    def get(self, request: Request) -> Response:
        modules: dict[str, list[dict[str, Any]]] = {}
        for one in permissions:
            modules.setdefault(one.module, []).append(
                {"id": one.number, "key": one.key, "label": one.label, "minRole": one.min_role}
            )
        return Response([{"module": module, "permissions": items} for module, items in modules.items()])


class ProfileView(ApiView):
    access: ClassVar = {
        "GET": Needs(PROFILES_VIEW),
        "PATCH": Needs(PROFILES_MANAGE),
        "PUT": Needs(PROFILES_MANAGE),
        "DELETE": Needs(PROFILES_MANAGE),
    }
    parameters: ClassVar = {"DELETE": ("reassignTo",)}

    @operation(id="profiles_get", summary="One profile", output=FullProfileOutput, example=EXAMPLE)
    def get(self, request: Request, profile_id: int) -> Response:
        return _answer(profile_id)

    @operation(
        id="profiles_update",
        summary="Change a profile's name, description or permissions",
        description="Counts for everybody who has it at their next request. `version` or `If-Match` keeps a change of"
        " somebody else's from being lost.",
        input=UpdateProfileInput,
        output=FullProfileOutput,
        example_in={"permissions": [1, 2], "version": 1},
        example={**EXAMPLE, "permissions": [1, 2], "version": 2},
        errors=[*_CONTENT, *_VERSION, errors.SYSTEM_PROFILE_IMMUTABLE],
    )
    def patch(self, request: Request, profile_id: int) -> Response:
        data = self.read(UpdateProfileInput)
        expected = Expected(data.pop("version", None), request.headers.get("If-Match", ""))
        changes = ProfileChanges(**data)
        profile_update(actor=self.identity, profile_id=profile_id, changes=changes, expected=expected)
        return _answer(profile_id)

    put = patch

    @operation(
        id="profiles_deactivate",
        summary="Retire a profile",
        description="While people have it, `reassignTo` has to name the profile that they get.",
        output=FullProfileOutput,
        example={**EXAMPLE, "isActive": False},
        parameters=[
            query(
                "reassignTo",
                {"type": "integer", "minimum": 1, "maximum": MAX_NUMBER},
                "The profile for those who have this one.",
            )
        ],
        errors=[
            errors.PROFILE_IN_USE,
            errors.PROFILE_NOT_FOUND,
            errors.PROFILE_NOT_ASSIGNABLE,
            errors.SYSTEM_PROFILE_IMMUTABLE,
            PRECONDITION_FAILED,
        ],
    )
    def delete(self, request: Request, profile_id: int) -> Response:
        reassign_to = None
        if single_parameter(request, "reassignTo") is not None:
            reassign_to = whole_parameter(request, "reassignTo", default=0, maximum=MAX_NUMBER)
        expected = Expected(if_match=request.headers.get("If-Match", ""))
        profile_deactivate(actor=self.identity, profile_id=profile_id, reassign_to=reassign_to, expected=expected)
        return _answer(profile_id)


class ActivateProfileView(ApiView):
    access = Needs(PROFILES_MANAGE)

    @operation(
        id="profiles_activate",
        summary="Let a retired profile be given again",
        output=FullProfileOutput,
        example=EXAMPLE,
        errors=[errors.SYSTEM_PROFILE_IMMUTABLE],
    )
    def post(self, request: Request, profile_id: int) -> Response:
        profile_activate(profile_id=profile_id)
        return _answer(profile_id)

    put = patch = post
