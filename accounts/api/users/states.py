"""``/users/:id/…``: letting somebody in again, inviting again, deleting for good; and accepting an invitation."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.api.auth import examples
from accounts.api.auth.responses import sign_in_response
from accounts.api.auth.serializers import SignInOutput
from accounts.api.users.serializers import AcceptInput, ErasedOutput, SeenUserOutput, present_person
from accounts.catalog import USERS_DEACTIVATE, USERS_INVITE
from accounts.services.erasure import user_erase
from accounts.services.invitations import invitation_accept, invitation_resend
from accounts.services.people import user_activate
from platform_site.api.docs import operation
from platform_site.api.permissions import Needs, Public
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED
from tenancy.errors import TENANT_CLOSED


class ActivateView(ApiView):
    access = Needs(USERS_DEACTIVATE)

    @operation(
        id="users_activate",
        summary="Let a deactivated person in again",
        description="Takes a seat. Sessions do not come back. Who never accepted is invited anew. Again is fine.",
        output=SeenUserOutput,
        example=examples.USER,
        errors=[errors.CANNOT_MODIFY_SUPERIOR, errors.USER_PENDING, errors.SEAT_LIMIT_REACHED, errors.USER_ERASED],
    )
    def post(self, request: Request, ref: int | UUID) -> Response:
        user = user_activate(actor=self.identity, ref=ref)
        return Response(present_person(user, to=self.identity))

    put = patch = post


class ResendInvitationView(ApiView):
    access = Needs(USERS_INVITE)

    @operation(
        id="users_resend_invitation",
        summary="Send somebody the invitation again",
        description="For administrators. The new link replaces the old one at once, also an expired one.",
        output=SeenUserOutput,
        status=202,
        example={**examples.USER, "status": "pending"},
        errors=[errors.CANNOT_MODIFY_SUPERIOR, errors.USER_NOT_PENDING, errors.USER_ERASED, RATE_LIMITED],
    )
    def post(self, request: Request, ref: int | UUID) -> Response:
        user = invitation_resend(actor=self.identity, ref=ref)
        return Response(present_person(user, to=self.identity), status=202)


class AcceptInvitationView(ApiView):
    access = Public()
    limits: ClassVar = {"POST": ("accept_invitation_origin",)}

    @operation(
        id="users_accept_invitation",
        summary="Accept an invitation with a password, and sign in",
        description="A password that is refused leaves the link as it was. Where a second factor is asked of everybody,"
        " the answer is that of a sign-in without one.",
        input=AcceptInput,
        output=SignInOutput,
        example_in={"token": "invitation-token", "password": "your-password"},
        example={**examples.TOKENS, "user": examples.USER, "tenant": examples.TENANT},
        errors=[
            errors.LINK_TOKEN_INVALID,
            errors.LINK_TOKEN_EXPIRED,
            errors.PASSWORD_TOO_SHORT,
            errors.PASSWORD_TOO_LONG,
            errors.PASSWORD_COMMON,
            errors.PASSWORD_CONTAINS_CONTEXT,
            errors.MFA_ENROLLMENT_REQUIRED,
            *TENANT_CLOSED,
        ],
    )
    def post(self, request: Request) -> Response:
        return sign_in_response(invitation_accept(**self.read(AcceptInput)))


class EraseView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = Needs(USERS_DEACTIVATE, person=True)

    @operation(
        id="users_erase",
        summary="Delete somebody for good",
        description="For people who are deactivated, or who never accepted. Needs a recent re-authentication."
        ' Personal data go, what the person wrote stays with "Deleted user 42", the address is free.',
        output=ErasedOutput,
        example={"id": examples.USER["id"], "userId": 42, "erased": True},
        errors=[
            errors.REAUTH_REQUIRED,
            errors.CANNOT_MODIFY_SUPERIOR,
            errors.CANNOT_DELETE_SELF,
            errors.MUST_DEACTIVATE_FIRST,
            errors.USER_ERASED,
        ],
    )
    def delete(self, request: Request, ref: int | UUID) -> Response:
        user = user_erase(actor=self.identity, ref=ref)
        return Response({"id": user.uuid, "userId": user.id, "erased": True})
