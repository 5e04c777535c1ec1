"""Where mailed links lead."""

from django.conf import settings


def page_url(path: str) -> str:
    """A link for a mail: the product's frontend, or the built-in page when there is none."""
    return f"{settings.FRONTEND_URL or settings.PUBLIC_URL}{path}"
