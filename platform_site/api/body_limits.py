"""How large a request's body may be: one number for all, and a table of the few that may be larger."""

from django.conf import settings


def body_limit(path: str, content_type: str, *, usual: int | None = None) -> int:
    """Bytes that a body sent to ``path`` may have. ``usual`` takes the place of ``MAX_BODY_BYTES``."""
    usual = settings.MAX_BODY_BYTES if usual is None else usual
    media_type = content_type.partition(";")[0].strip().lower()
    larger: int = settings.LARGER_BODIES.get((path.rstrip("/"), media_type), 0)
    return max(usual, larger)
