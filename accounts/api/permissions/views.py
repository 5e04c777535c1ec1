"""``/permissions/me``: what the caller may do."""

import hashlib
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import ProfileOutput
from accounts.models.profile import profile_refs
from accounts.roles import Role
from platform_site.api.docs import operation
from platform_site.api.permissions import SignedIn
from platform_site.api.serializers import Shape, Text, Whole
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.permissions import permissions


class OwnPermissionsOutput(Shape):
    role = serializers.ChoiceField(choices=Role.choices)
    profile = ProfileOutput()
    permissions = serializers.ListField(child=Text())
    permission_ids = serializers.ListField(child=Whole())
    # Another one after every change that matters to the caller.
    version = Text()


class OwnPermissionsView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="permissions_me",
        summary="The caller's role, profile and permissions",
        description="With an ETag: a client that asks with `If-None-Match` is told 304 as long as nothing changed.",
        output=OwnPermissionsOutput,
        example={
            "role": "user",
            "profile": {"id": 3, "name": "Member"},
            "permissions": ["profiles.view", "users.view"],
            "permissionIds": [1, 5],
            "version": "5f3a0c1d9e",
        },
    )
    def get(self, request: Request) -> HttpResponse:
        me = self.identity
        profile = profile_refs([me.profile_id])[me.profile_id]
        keys = sorted(me.permissions)
        version = hashlib.sha256(f"{me.role}|{profile.id}|{profile.name}|{'|'.join(keys)}".encode()).hexdigest()[:10]
        etag = f'"{version}"'
        if _knows(request, etag):
            # Without a body: the envelope is none of a 304.
            return HttpResponseNotModified(headers={"ETag": etag})
        shown: dict[str, Any] = {
            "role": me.role,
            "profile": {"id": profile.id, "name": profile.name},
            "permissions": keys,
            "permissionIds": sorted(one.number for one in permissions if one.key in me.permissions),
            "version": version,
        }
        return Response(shown, headers={"ETag": etag})


def _knows(request: Request, etag: str) -> bool:
    """Whether the client has this version. A proxy that compresses makes a tag weak, and it means the same."""
    tags = {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}
    return bool(tags & {etag, "*"})
