"""Making records and links, and taking links off."""

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation, query
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.pagination import single_parameter
from platform_site.api.permissions import Needs
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND
from registry import errors
from registry.api import examples
from registry.api.reading import choice_parameter, location
from registry.api.serializers import (
    AttachedOutput,
    AutoLinkedOutput,
    AutoLinkInput,
    DetachedOutput,
    EntityLinkInput,
    RegisteredEntityOutput,
    RegisterEntityInput,
)
from registry.catalog import REGISTRY_EDIT, REGISTRY_UNLINK
from registry.presenting import present_attached, present_auto_linked, present_detached, present_registered
from registry.services.linking import entity_link, link_remove
from registry.services.records import PERSON, AppRecord, Snapshot
from registry.services.registering import entity_auto_link, entity_register


class RegisterView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(REGISTRY_EDIT)
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="registry_register",
        summary="Make a record with its first link",
        description="`possibleDuplicates` are records that may be the same one, with reasons; nothing is merged. Where"
        " another record is known by the address, `ifEmailExists` says what happens: `create` (when it is not given)"
        " makes a record, which is not known by the address, and warns; `link` links to that one; `error` refuses. The"
        " same words again are answered with 200. `snapshot` is what the app knows; `observedAt` is when it knew it.",
        input=RegisterEntityInput,
        output=RegisteredEntityOutput,
        status=201,
        also_status={200: "It was there before, or was linked; `created` is false."},
        example_in={
            "name": "Jane Doe",
            "email": "jane@company.com",
            "entityClass": "person",
            "app": "sales",
            "entityType": "lead",
            "entityId": 42,
        },
        example=examples.REGISTERED,
        errors=[errors.ENTITY_ALREADY_LINKED, errors.IDENTIFIER_TAKEN, errors.LINK_LIMIT],
    )
    def post(self, request: Request) -> Response:
        data = self.read(RegisterEntityInput)
        done = entity_register(
            name=data["name"],
            email=data.get("email") or "",
            record=_record(data),
            entity_class=data.get("entity_class", PERSON),
            snapshot=_snapshot(data),
            if_email_exists=data.get("if_email_exists", "create"),
        )
        return _answer(present_registered(done), done.created, done.entity.id)


class AutoLinkView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(REGISTRY_EDIT)
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="registry_auto_link",
        summary="Link to whom an address belongs to, or make a record",
        description="As often and from as many places at once as one likes: one address is one record. A record of an"
        " app that is linked already stays where it is; is the address another's, `conflict.emailOwner` says whose,"
        " and the pair is noted. Addresses of nobody in particular (noreply@, and those of the setting"
        " registry.shared_mailboxes) find nobody.",
        input=AutoLinkInput,
        output=AutoLinkedOutput,
        status=201,
        also_status={200: "It was linked, or had been before."},
        example_in={"email": "jane@company.com", "name": "Jane Doe", **examples.RECORD},
        example={
            **examples.REGISTERED,
            "action": "created",
            "matchedBy": None,
            "reason": None,
            "conflict": None,
        },
        errors=[errors.LINK_LIMIT],
    )
    def post(self, request: Request) -> Response:
        data = self.read(AutoLinkInput)
        done = entity_auto_link(
            email=data["email"],
            name=data.get("name", ""),
            record=_record(data),
            entity_class=data.get("entity_class", PERSON),
            snapshot=_snapshot(data),
        )
        return _answer(present_auto_linked(done), done.registered.created, done.registered.entity.id)


class LinkView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(REGISTRY_EDIT)
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="registry_link",
        summary="Let a record of an app stand for a record here",
        description="An id that became part of another record leads to that one; `resolved` is true then. With `move`"
        " it is taken from the record that it stands for now.",
        input=EntityLinkInput,
        output=AttachedOutput,
        status=201,
        also_status={200: "It was linked to this record before; a newer snapshot is taken."},
        example_in={"canonicalId": examples.WINNER_ID, **examples.RECORD},
        example={
            "canonicalId": examples.WINNER_ID,
            "linkId": examples.LINK_ID,
            "created": True,
            "resolved": False,
            "movedFrom": None,
            "link": {**examples.LINK, "method": "manual"},
        },
        errors=[NOT_FOUND, errors.ENTITY_ERASED, errors.ENTITY_LOCKED, errors.LINKED_ELSEWHERE, errors.LINK_LIMIT],
    )
    def post(self, request: Request) -> Response:
        data = self.read(EntityLinkInput)
        done = entity_link(
            canonical_id=data["canonical_id"],
            record=_record(data),
            snapshot=_snapshot(data),
            confidence=data.get("confidence"),
            move=data.get("move", False),
        )
        return _answer(present_attached(done, data["canonical_id"]), done.created, done.entity.id)


class OneLinkView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(REGISTRY_UNLINK)
    parameters: ClassVar = {"DELETE": ("splitTo",)}

    @operation(
        id="registry_unlink",
        summary="Take a link off a record",
        description="A record stays also without any link, because its history and events hang on it. With"
        " `splitTo=new` the app's record gets a record of its own, under an id that was never used, and takes along"
        " what this link brought.",
        output=DetachedOutput,
        example={
            "canonicalId": examples.WINNER_ID,
            "remainingLinks": 0,
            "orphaned": True,
            "splitTo": None,
            "newLinkId": None,
        },
        errors=[errors.ENTITY_ERASED, errors.ENTITY_LOCKED],
        parameters=[query("splitTo", str, "A record of its own.", enum=("new",))],
    )
    def delete(self, request: Request, link_id: UUID) -> Response:
        split = single_parameter(request, "splitTo") is not None
        if split:
            choice_parameter(request, "splitTo", ("new",), "new")
        return Response(present_detached(link_remove(link_id=link_id, split_to_new=split)))


def _record(data: dict[str, Any]) -> AppRecord:
    return AppRecord(data["app"], data["entity_type"], data["entity_id"])


def _snapshot(data: dict[str, Any]) -> Snapshot:
    return Snapshot.of(more=data.get("snapshot"), at=data.get("observed_at"))


def _answer(shown: dict[str, Any], created: bool, canonical_id: UUID) -> Response:
    headers = {"Location": location(canonical_id)} if created else {}
    return Response(shown, status=201 if created else 200, headers=headers)
