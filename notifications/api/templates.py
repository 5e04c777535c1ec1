"""``/notifications/templates``: the company's own texts of notifications."""

from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from notifications import errors
from notifications.api.template_shapes import (
    CustomizeInput,
    PreviewInput,
    PreviewOutput,
    ResetOutput,
    TemplateOutput,
    TemplatesOutput,
)
from notifications.catalog import TEMPLATES_MANAGE
from notifications.mailing.sources import COMMON, base_version, sample_of
from notifications.services import templates as service
from notifications.services.templates import Preview, Template
from platform_site.api.docs import operation
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.permissions import Needs, SignedIn
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND, PERMISSION_DENIED, PlatformError

TEXTS: Final = ("subject", "body_html", "body_text")
ITEM: Final = {
    "id": "sales.lead_assigned:email",
    "eventKey": "sales.lead_assigned",
    "channel": "email",
    "name": "A lead was assigned to you",
    "isCustomized": True,
    "version": 3,
    "customizedAt": "2026-11-23T08:00:00.000Z",
    "customizedBy": "019aaf1e-5d2c-7a31-9c0e-000000000001",
    "baseOutdated": False,
}
_DEFAULT = {"subject": "New lead: {{ leadName }}", "bodyHtml": "<h1>New lead</h1>", "bodyText": "New lead"}
TEMPLATE: Final = {
    **ITEM,
    "subject": "Hi {{ user.name }}, a lead!",
    "bodyHtml": "<p>{{ leadName }} is yours.</p>",
    "bodyText": "{{ leadName }} is yours.",
    "variables": [
        {"name": "leadName", "type": "text", "required": False, "example": "Acme Corp", "description": ""},
    ],
    "default": _DEFAULT,
    "baseVersion": "0f1e2d3c4b5a6978",
    "currentBaseVersion": "0f1e2d3c4b5a6978",
}
PREVIEW: Final = {
    "subject": "Hi Jane Doe, a lead!",
    "html": '<!doctype html><html lang="en"></html>',
    "text": "Acme Corp is yours.",
    "usedVersion": "3",
    "missingVariables": [],
    "warnings": [],
    "sizeBytes": 8123,
}
_CHANGES = {"subject": "Hi {{ user.name }}, a lead!", "version": 2}


class TemplatesView(ApiView):
    access = SignedIn()

    @operation(
        id="notifications_templates",
        summary="All texts of notifications, by module",
        output=TemplatesOutput,
        example={"modules": [{"key": "sales", "label": "Sales", "templates": [ITEM]}]},
    )
    def get(self, request: Request) -> Response:
        modules: dict[str, list[Template]] = {}
        for one in service.templates():
            modules.setdefault(one.event.module, []).append(one)
        shown = [
            {"key": key, "label": key.replace("_", " ").capitalize(), "templates": [_item(one) for one in of_module]}
            for key, of_module in modules.items()
        ]
        return Response(TemplatesOutput({"modules": shown}).data)


class TemplateView(ApiView):
    access = SignedIn()

    @operation(
        id="notifications_template",
        summary="One text: what is used now, the default, and what it may name",
        description="Named by `eventKey:channel`. In the app, `subject` is the title, and there is no HTML.",
        output=TemplateOutput,
        example=TEMPLATE,
        errors=[NOT_FOUND],
    )
    def get(self, request: Request, template: str) -> Response:
        return Response(TemplateOutput(_whole(service.template_find(template))).data)


class CustomizeView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(TEMPLATES_MANAGE)

    @operation(
        id="notifications_template_customize",
        summary="Write the company's own text",
        description="Liquid with few tags and filters. It is read and filled with sample values; everything that is"
        " wrong is in `details`, with line and column. `version` is the one that it was made from (0: the default).",
        input=CustomizeInput,
        output=TemplateOutput,
        example_in=_CHANGES,
        example=TEMPLATE,
        errors=[NOT_FOUND, errors.TEMPLATE_INVALID, errors.TEMPLATE_VERSION_CONFLICT],
    )
    def put(self, request: Request, template: str) -> Response:
        data = self.read(CustomizeInput)
        changed = service.template_customize(
            name=template,
            changes={name: data[name] for name in TEXTS if name in data},
            version=data.get("version"),
            by=self.identity.user_uuid,
        )
        return Response(TemplateOutput(_whole(changed)).data)

    patch = put
    post = put


class PreviewView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = SignedIn()

    @operation(
        id="notifications_template_preview_stored",
        summary="How the text would look now",
        output=PreviewOutput,
        example=PREVIEW,
        errors=[NOT_FOUND, errors.TEMPLATE_INVALID],
    )
    def get(self, request: Request, template: str) -> Response:
        return Response(_preview(self, template, {}))

    @operation(
        id="notifications_template_preview",
        summary="How a text would look, without storing it",
        description="Nothing is sent. Texts in the body take the place of the stored ones, which needs the permission"
        f" `{TEMPLATES_MANAGE.key}`.",
        input=PreviewInput,
        output=PreviewOutput,
        example_in={"subject": "Hi {{ user.name }}"},
        example=PREVIEW,
        errors=[NOT_FOUND, PERMISSION_DENIED, errors.TEMPLATE_INVALID],
    )
    def post(self, request: Request, template: str) -> Response:
        return Response(_preview(self, template, self.read(PreviewInput)))


class OverrideView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access: ClassVar = Needs(TEMPLATES_MANAGE)

    @operation(
        id="notifications_template_reset",
        summary="Go back to the default text",
        description="The same again changes nothing.",
        output=ResetOutput,
        example={**TEMPLATE, "isCustomized": False, "wasCustomized": True},
        errors=[NOT_FOUND],
    )
    def delete(self, request: Request, template: str) -> Response:
        found, was = service.template_reset(name=template)
        return Response(ResetOutput({**_whole(found), "was_customized": was}).data)


def _preview(view: ApiView, name: str, data: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, str | None] = {field: data[field] for field in TEXTS if field in data}
    if changes and TEMPLATES_MANAGE.key not in view.identity.permissions:
        raise PlatformError(PERMISSION_DENIED, context={"permission": TEMPLATES_MANAGE.key})
    reader = User.objects.get(id=view.identity.user_id)
    found: Preview = service.template_preview(name=name, changes=changes, data=data.get("data") or {}, reader=reader)
    return dict(PreviewOutput(found).data)


def _item(one: Template) -> dict[str, Any]:
    row = one.written
    return {
        "id": one.id,
        "event_key": one.event.key,
        "channel": one.channel,
        "name": one.event.label,
        "is_customized": row is not None,
        "version": row.version if row else None,
        "customized_at": row.created_at if row else None,
        "customized_by": row.created_by if row else None,
        "base_outdated": one.base_outdated,
    }


def _whole(one: Template) -> dict[str, Any]:
    default, own = one.default, one.own
    source = {name: getattr(default, name) for name in TEXTS}
    return {
        **_item(one),
        **{name: source[name] if getattr(own, name) is None else getattr(own, name) for name in TEXTS},
        "variables": _variables(one),
        "default": source,
        "base_version": one.written.base_version if one.written else None,
        "current_base_version": base_version(default),
    }


def _variables(one: Template) -> list[dict[str, Any]]:
    sample = sample_of(one.event, one.channel)
    return [
        {
            "name": name,
            "type": _type(example),
            "required": False,
            "example": example,
            "description": COMMON[name][1] if name in COMMON and name not in one.event.sample else "",
        }
        for name, example in sample.items()
    ]


def _type(example: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", list: "list", dict: "map"}
    return kinds.get(type(example), "text")
