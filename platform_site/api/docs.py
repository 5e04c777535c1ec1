"""``@operation``: what the OpenAPI document says about one method of a view.

The view's method carries the description; ``EnvelopeAutoSchema`` reads it from
there and adds what is true of every operation (envelope, errors, security).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.serializers import Serializer

from platform_site.errors import ErrorCode

Shape = type[Serializer[Any]]
# "all": the whole list at once; the others are cut as platform_site.api.pagination does.
Listed = Literal["all", "page", "cursor"]
Handler = TypeVar("Handler", bound=Callable[..., Any])

_ATTRIBUTE = "operation"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, as clients read about it."""

    id: str
    summary: str
    description: str = ""
    # A shape, or a JSON schema where the body or the answer is a free-form map.
    input: Shape | Mapping[str, Any] | None = None
    # The same as multipart/form-data, where the path takes that too.
    form: Shape | None = None
    output: Shape | Mapping[str, Any] | None = None
    status: int = 200
    example_in: Mapping[str, Any] | None = None
    # Bare data, without the envelope; for a list the items or a single one.
    example: Any = None
    errors: Sequence[ErrorCode] = ()
    listed: Listed | None = None
    meta: Shape | None = None
    limit: tuple[int, int] = (20, 100)
    parameters: Sequence[OpenApiParameter] = ()
    also_status: Mapping[int, str] = field(default_factory=dict)


def operation(
    *,
    id: str,
    summary: str,
    description: str = "",
    input: Shape | Mapping[str, Any] | None = None,
    form: Shape | None = None,
    output: Shape | Mapping[str, Any] | None = None,
    status: int = 200,
    example_in: Mapping[str, Any] | None = None,
    example: Any = None,
    errors: Sequence[ErrorCode] = (),
    listed: Listed | None = None,
    meta: Shape | None = None,
    limit: tuple[int, int] = (20, 100),
    parameters: Sequence[OpenApiParameter] = (),
    also_status: Mapping[int, str] | None = None,
) -> Callable[[Handler], Handler]:
    """Describe a view's method.

    ``errors`` are the codes that only this operation gives; those that any
    operation of its kind gives are added by themselves. ``also_status`` names
    further 2xx statuses with the same body and says when they come. ``listed``
    adds the parameters and the ``meta`` of a list; ``meta`` is a subclass of
    ``PageMeta`` or ``CursorMeta`` for a list that tells more, or any shape for
    one that comes whole, and ``limit`` its default and maximum. A method that is
    bound to a second name (``put = patch``) is described once and appears as two
    operations.
    """
    described = Operation(
        id=id,
        summary=summary,
        description=description,
        input=input,
        form=form,
        output=output,
        status=status,
        example_in=example_in,
        example=example,
        errors=tuple(errors),
        listed=listed,
        meta=meta,
        limit=limit,
        parameters=tuple(parameters),
        also_status=dict(also_status or {}),
    )

    def describe(handler: Handler) -> Handler:
        setattr(handler, _ATTRIBUTE, described)
        return handler

    return describe


def operation_of(view: object, method: str) -> Operation | None:
    """What the view's method says about itself."""
    found = getattr(getattr(view, method.lower(), None), _ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None


def query(
    name: str,
    type: Any = str,
    description: str = "",
    *,
    required: bool = False,
    enum: Sequence[str] | None = None,
    example: Any = None,
) -> OpenApiParameter:
    """A query parameter; ``type`` is a Python type or a JSON schema."""
    return OpenApiParameter(
        name,
        type,
        OpenApiParameter.QUERY,
        required=required,
        description=description,
        enum=list(enum) if enum else None,
        examples=[] if example is None else [OpenApiExample("example", value=example)],
    )
