"""Settings that fit together, and places where files are."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from platform_site.doctor.catalog import Examination, Finding, fine, problem, skipped, warning

# A few of what is collected: a page's style, its script, the admin's own.
_COLLECTED: Final = ("pages/pages.css", "pages/api.js", "unfold/css/styles.css")
_LEAST_FREE: Final = 0.05


def debug() -> Finding:
    if not settings.DEBUG:
        return fine("Off.")
    if settings.EMBEDDED_DATABASE:
        return fine("On, with a database of this machine's own.")
    return problem("DEBUG is on: errors show code and settings to everybody.", "Unset DEBUG.")


def limits() -> Finding:
    if settings.RATE_LIMITS_ENABLED:
        return fine("On.")
    told, todo = "Rate limits are off: passwords can be tried without end.", "Unset RATE_LIMITS."
    return warning(told, todo) if settings.DEBUG else problem(told, todo)


def addresses() -> Finding:
    for finding in _addresses():
        return finding
    return fine(f"{settings.PUBLIC_URL} and what belongs to it.")


def _addresses() -> Iterator[Finding]:
    """What is wrong, the worst first."""
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme not in {"http", "https"} or not public.hostname or public.path or public.query:
        yield problem(f"PUBLIC_URL is {settings.PUBLIC_URL!r}.", "Set it to https://host, without a path.")
        return
    origins = (
        ("CORS_ALLOWED_ORIGINS", settings.CORS_ALLOWED_ORIGINS),
        ("CSRF_TRUSTED_ORIGINS", settings.CSRF_TRUSTED_ORIGINS),
    )
    for name, values in origins:
        for value in values:
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or "*" in value:
                yield problem(f"{name} holds {value!r}.", "Name origins: https://host, nothing behind it.")
    if settings.FRONTEND_URL and _origin(settings.FRONTEND_URL) not in {
        _origin(settings.PUBLIC_URL),
        *settings.CORS_ALLOWED_ORIGINS,
    }:
        yield problem(
            "FRONTEND_URL may not call the API.",
            f"Add {_origin(settings.FRONTEND_URL)} to CORS_ALLOWED_ORIGINS.",
        )
    if settings.DEBUG:
        return
    if "*" in settings.ALLOWED_HOSTS:
        yield problem("ALLOWED_HOSTS answers to every name.", "Name the hosts.")
    elif not _is_answered(public.hostname):
        yield problem(f"{public.hostname} of PUBLIC_URL is not answered.", "Add it to ALLOWED_HOSTS.")
    if public.scheme == "http":
        yield problem("PUBLIC_URL is not https.", "Mailed links lead there: set it to https://…")
    insecure = [value for value in settings.CORS_ALLOWED_ORIGINS if value.startswith("http://")]
    if insecure:
        yield warning(f"{insecure[0]} may call the API without TLS.", "Serve it by https, and name it so.")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_answered(host: str) -> bool:
    return any(host == name or (name.startswith(".") and f".{host}".endswith(name)) for name in settings.ALLOWED_HOSTS)


def system_checks() -> Finding:
    """``manage.py check``, with ``--deploy`` where this is no development."""
    found = checks.run_checks(include_deployment_checks=not settings.DEBUG, databases=["default"])
    loud = sorted((message for message in found if not message.is_silenced()), key=lambda message: -message.level)
    if not loud:
        return fine("manage.py check has nothing to say.")
    more = f" ({len(loud) - 1} more)" if len(loud) > 1 else ""
    worst = loud[0]
    told = f"{worst.id}: {worst.msg}{more}"
    todo = worst.hint or "manage.py check --deploy says more."
    return problem(told, todo) if worst.is_serious(checks.ERROR) else warning(told, todo)


def static_files() -> Finding:
    if settings.STATIC_ROOT is None:
        return fine("Served from where they lie.")
    missing = [name for name in _COLLECTED if not (Path(settings.STATIC_ROOT) / name).is_file()]
    if missing:
        return problem(f"{settings.STATIC_ROOT} lacks {missing[0]}.", "manage.py collectstatic --no-input")
    return fine("Collected.")


def writable() -> Finding:
    """Data of the embedded servers, and temporary files of backups and exports."""
    places = [Path(tempfile.gettempdir())]
    if settings.EMBEDDED_DATABASE or settings.EMBEDDED_VALKEY:
        places.append(settings.LAYOUT.var_dir)
    for place in places:
        try:
            with tempfile.TemporaryFile(dir=place) as file:
                file.write(b"doctor")
        except OSError as error:
            return problem(f"{place} cannot be written: {error.strerror}.", "Let the platform's account write there.")
        usage = shutil.disk_usage(place)
        if usage.free / usage.total < _LEAST_FREE:
            return warning(f"{place} is on a disk with {usage.free // 2**20} MiB free.", "Make room.")
    return fine(f"{', '.join(str(place) for place in places)} can be written.")


def secrets_file() -> Finding:
    if not settings.EMBEDDED_DATABASE:
        return skipped("The environment holds the secrets.")
    path = settings.LAYOUT.secrets_file
    mode = path.stat().st_mode & 0o777
    if mode & 0o077 or not os.access(path, os.R_OK):
        return problem(f"{path} has the mode {mode:o}.", f"chmod 600 {path}")
    return fine("Readable by its owner alone.")


EXAMINATIONS: Final = (
    Examination("settings.debug", debug),
    Examination("settings.limits", limits),
    Examination("settings.addresses", addresses),
    Examination("settings.checks", system_checks, timeout=30.0),
    Examination("files.static", static_files),
    Examination("files.writable", writable),
    Examination("files.secrets", secrets_file),
)
