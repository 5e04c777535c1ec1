"""Where people come back to from Stripe: paths of the product, and nowhere else."""

from urllib.parse import urlsplit

from django.conf import settings


def is_own_path(path: str) -> bool:
    """Whether a browser that is sent there stays with the product. "" is."""
    if not path:
        return True
    parts = urlsplit(path)
    return (
        path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and not (parts.scheme or parts.netloc)
        and path.isprintable()
    )


def own_url(path: str, default: str) -> str:
    """A path of the frontend as a whole address; of our own pages where there is no frontend."""
    return (settings.FRONTEND_URL or settings.PUBLIC_URL) + (path or default)
