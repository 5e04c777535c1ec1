"""How large a request's body may be: one number for all, and a table of the few that may be larger."""

from django.conf import settings


def body_limit(path: str, content_type: str, *, usual: int | None = None) -> int:
    """Bytes that a body sent to ``path`` may have. ``usual`` takes the place of ``MAX_BODY_BYTES``."""
    usual = settings.MAX_BODY_BYTES if usual is None else usual
    media_type = content_type.partition(";")[0].strip().lower()
    larger = (
        limit
        for (pattern, kind), limit in settings.LARGER_BODIES.items()
        if kind == media_type and _fits(path.rstrip("/"), pattern)
    )
    return max(usual, *larger, 0)


def _fits(path: str, pattern: str) -> bool:
    """Whether it is this path, in which "*" stands for any one part."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(one in ("*", part) for part, one in zip(parts, wanted, strict=True))
