"""Reading records: search, list, one with all that belongs to it, whom an app's record stands for."""

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation, query
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.pagination import (
    CursorMeta,
    CursorQuery,
    PageQuery,
    paginate,
    paginate_by_cursor,
    seal_cursor,
    single_parameter,
    whole_parameter,
)
from platform_site.api.permissions import Needs
from platform_site.api.query import query_flag
from platform_site.api.renderers import Listed
from platform_site.api.serializers import Shape, Whole, YesNo
from platform_site.api.views import ApiView
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError
from registry import errors
from registry.api import examples
from registry.api.reading import (
    STATUSES,
    entity_filter,
    location,
    name_parameter,
    record_of_path,
    sort_parameter,
    text_parameter,
)
from registry.api.serializers import (
    EntityDetailOutput,
    EntityFoundOutput,
    EntityInput,
    EntityOutput,
    ErasedEntityOutput,
    LinkedOutput,
    ReasonInput,
)
from registry.catalog import REGISTRY_EDIT, REGISTRY_ERASE, REGISTRY_VIEW
from registry.presenting import present_entity, present_found, present_linked, present_view
from registry.selectors.records import SORTS, entity_itself, entity_list, entity_view, linked_entity
from registry.selectors.searching import entities_search
from registry.services.changing import entity_change
from registry.services.erasing import entity_erase

LONGEST_SEARCH = 200
MOST_FOUND = 50
_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,49}$"}


class FoundMeta(Shape):
    limit = Whole(min_value=1)
    # False when the search for slips of the pen took too long and was given up.
    complete = YesNo()


class EntitiesMeta(CursorMeta):
    # Not with a cursor: whoever goes on has been told.
    page = Whole(required=False, min_value=1)
    total = Whole(required=False, min_value=0)
    total_pages = Whole(required=False, min_value=0)
    total_is_estimate = YesNo(required=False)


class SearchView(ApiView):
    access = Needs(REGISTRY_VIEW)
    parameters: ClassVar = {"GET": ("q", "class", "limit")}

    @operation(
        id="registry_search",
        summary="Find records by name or address",
        description="The best first: known by this address, then names that begin with the text, then what holds all"
        " its words, then what is alike. With less than three characters only beginnings of names. A record that became"
        " part of another one leads to that one, with `matchedOn` alias. `meta.complete` is false when the search for"
        " what is alike took too long.",
        output=EntityFoundOutput,
        example={
            "canonicalId": examples.WINNER_ID,
            "name": "Jane Doe",
            "email": "jane@company.com",
            "entityClass": "person",
            "score": 0.9,
            "matchedOn": "name",
            "linksCount": 1,
        },
        listed="all",
        meta=FoundMeta,
        parameters=[
            query("q", {"type": "string", "minLength": 1, "maxLength": LONGEST_SEARCH}, "Text.", required=True,
                  example="jane"),
            query("class", _NAME, "Only records of this class.", example="person"),
            query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_FOUND}, "20 when it is not given."),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        limit = whole_parameter(request, "limit", default=20, maximum=MOST_FOUND)
        search = entities_search(
            text=text_parameter(request, "q", longest=LONGEST_SEARCH),
            entity_class=name_parameter(request, "class"),
            limit=limit,
        )
        return Listed([present_found(one) for one in search.found], {"limit": limit, "complete": search.complete})


class EntitiesView(ApiView):
    access = Needs(REGISTRY_VIEW)
    parameters: ClassVar = {
        "GET": ("page", "cursor", "limit", "class", "app", "status", "orphaned", "updatedSince", "sort")
    }

    @operation(
        id="registry_list",
        summary="All records",
        description="By cursor, which costs the same however far one goes, or by page number. The newest first unless"
        " `sort` says otherwise. Erased records are in no list.",
        output=EntityOutput,
        example=examples.ENTITY,
        listed="cursor",
        meta=EntitiesMeta,
        parameters=[
            query("page", {"type": "integer", "minimum": 1, "maximum": 1_000_000}, "Instead of a cursor."),
            query("class", _NAME, "Only records of this class.", example="person"),
            query("app", _NAME, "Only with a link of this app.", example="sales"),
            query("status", str, "active when it is not given.", enum=STATUSES),
            query("orphaned", str, "Only without links, or only with some.", enum=("true", "false")),
            query("updatedSince", {"type": "string", "format": "date-time"}, "Changed at this time or later."),
            query("sort", str, "-createdAt when it is not given.", enum=tuple(SORTS)),
        ],
    )
    def get(self, request: Request) -> Response:
        wanted, sort = entity_filter(request), sort_parameter(request)
        name = f"registry_list:{sort}"
        rows = entity_list(wanted)
        if single_parameter(request, "cursor") is not None:
            if single_parameter(request, "page") is not None:
                raise PlatformError(
                    VALIDATION_FAILED, details=[FieldError("page", "invalid", "Give a page or a cursor, not both.")]
                )
            items, meta = paginate_by_cursor(rows, CursorQuery.from_request(request, name), SORTS[sort])
        else:
            items, meta = _page(rows, PageQuery.from_request(request), name, sort)
        return Listed([present_entity(one) for one in items], meta)


def _page(rows: Any, asked: PageQuery, name: str, sort: str) -> tuple[list[Any], dict[str, Any]]:
    """A page by number, from whose end one can go on by cursor."""
    items, meta = paginate(rows.order_by(*SORTS[sort]), asked)
    more = asked.page < meta["totalPages"] or (meta["totalIsEstimate"] and len(items) == asked.limit)
    last = [getattr(items[-1], field.lstrip("-")) for field in SORTS[sort]] if items and more else None
    return items, {**meta, "nextCursor": seal_cursor(name, last) if last else None, "prevCursor": None}


class ByEntityView(ApiView):
    access = Needs(REGISTRY_VIEW)
    parameters: ClassVar = {"GET": ("includeHistory",)}

    @operation(
        id="registry_by_entity",
        summary="Whom a record of an app stands for",
        description="A number and the same number as a text are one id. Where the link ended, 404 says in"
        " `context.previousCanonicalId` whom it led to.",
        output=LinkedOutput,
        example={"canonical": examples.ENTITY, "link": examples.LINK, "history": []},
        errors=[errors.ENTITY_ERASED],
        parameters=[query("includeHistory", str, "Also links that ended.", enum=("true", "false"))],
    )
    def get(self, request: Request, app: str, entity_type: str, entity_id: str) -> Response:
        history = query_flag(request, "includeHistory")
        linked = linked_entity(record_of_path(app, entity_type, entity_id), history=history)
        return Response(present_linked(linked if history else linked.without_history()))


class EntityView(ApiView):
    when_impersonated: ClassVar = {"PATCH": WhenImpersonated.WORKS, "PUT": WhenImpersonated.WORKS}
    access: ClassVar = {
        "GET": Needs(REGISTRY_VIEW),
        "PATCH": Needs(REGISTRY_EDIT),
        "PUT": Needs(REGISTRY_EDIT),
        "DELETE": Needs(REGISTRY_ERASE),
    }
    parameters: ClassVar = {"GET": ("resolve",)}

    @operation(
        id="registry_entity",
        summary="A record with its links",
        description="An id answers for ever. Where the record became part of another one, that one is the answer, with"
        " `requestedId`, `mergedInto`, `resolved` true and its address in `Content-Location`; with `resolve=false` the"
        " record itself is. At most 100 links are shown; `linksCount` says how many there are.",
        output=EntityDetailOutput,
        example=examples.DETAIL,
        errors=[errors.ENTITY_ERASED],
        parameters=[query("resolve", str, "false: the record of this very id.", enum=("true", "false"))],
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        if single_parameter(request, "resolve") is not None and not query_flag(request, "resolve"):
            return Response(_tombstone(canonical_id))
        view = entity_view(canonical_id)
        return Response(present_view(view), headers={"Content-Location": location(view.entity.id)})

    @operation(
        id="registry_entity_update",
        summary="Pin fields of a record, or lock it",
        description="A pinned field says what was decided, whatever apps say. A locked record is not merged, unlinked"
        " or pinned; apps may go on linking to it. With `version` it is refused when somebody changed it since.",
        input=EntityInput,
        output=EntityDetailOutput,
        example_in={"pin": {"name": "Jane Doe"}, "locked": True, "version": 1},
        example={**examples.DETAIL, "locked": True, "version": 2},
        errors=[errors.ENTITY_ERASED, errors.ENTITY_LOCKED],
    )
    def patch(self, request: Request, canonical_id: UUID) -> Response:
        data = self.read(EntityInput)
        entity_change(
            canonical_id=canonical_id,
            pins=data.get("pin"),
            unpin=data.get("unpin"),
            locked=data.get("locked"),
            version=data.get("version"),
        )
        return Response(present_view(entity_view(canonical_id)))

    put = patch

    @operation(
        id="registry_entity_erase",
        summary="Erase somebody for good",
        description="With everything that became part of the record, and all their events. The id answers 410 from then"
        " on, and merges cannot be undone.",
        input=ReasonInput,
        output=ErasedEntityOutput,
        example_in={"reason": "Asked for it."},
        example={"canonicalId": examples.WINNER_ID, "status": "erased"},
        errors=[errors.ENTITY_ERASED, errors.ENTITY_LOCKED],
    )
    def delete(self, request: Request, canonical_id: UUID) -> Response:
        erased = entity_erase(canonical_id=canonical_id, reason=self.read(ReasonInput).get("reason", ""))
        return Response({"canonicalId": str(erased), "status": "erased"})


def _tombstone(canonical_id: UUID) -> dict[str, Any]:
    entity = entity_itself(canonical_id)
    return {
        **present_entity(entity),
        "attributes": entity.attributes,
        "requestedId": str(entity.id),
        "resolved": False,
        "mergedIds": [],
        "identifiers": [],
        "links": [],
    }
