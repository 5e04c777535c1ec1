"""Slugs: the public names of tenants, as they stand in links and on sign-in pages."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import count
from uuid import UUID

from django.urls import get_resolver
from django.utils import timezone

from platform_site.binding import TenantRef
from platform_site.errors import ErrorCode
from platform_site.tenants import find_tenant
from tenancy import errors
from tenancy.models import FormerSlug, Tenant

MINIMUM, MAXIMUM = 3, 40
_FORM = re.compile(r"[a-z0-9](?:[a-z0-9]|-(?!-)){1,38}[a-z0-9]")

# Words that a page, a mail or an address of the platform could mean.
_WORDS = frozenset(
    """
    about abuse access account accounts activate admin administrator administrators alert alerts analytics anonymous
    api app apps assets auth authentication avatar billing blog bot bots bug bugs business cache calendar careers cdn
    channel channels chat check checkout client clients code community config connect contact cookie cookies copyright
    core css dashboard data database demo-site dev developer developers dns docs documentation domain domains download
    downloads email emails enterprise error errors event events everyone example export faq favicon feed feedback file
    files forgot forum ftp group groups guest guests health help home host hostmaster hosting html http https icon
    image images img imap import inbox index info internal invite invitation invitations ios jobs js json knowledge
    legal license link links live local localhost login logout mail mailbox mailer-daemon mailer manager media member
    members message messages metrics mobile monitor moderator mx my myself namespace network new news newsletter
    nobody noc none noreply no-reply notification notifications null oauth oauth2 official online operator ops order
    orders org organisation organization owner page pages partner partners password payment payments phone platform
    plan plans policy pop pop3 portal post postmaster press pricing privacy private product products profile profiles
    project projects proxy public realtime recovery register registration registry remote report reports reset robots
    root rss sales sample sandbox schema search secure security self server service services session sessions setting
    settings setup shop sign-in sign-out sign-up signin signout signup site sitemap smtp socket sso staff stage
    staging start static stats status store storage subscribe support survey sync sysadmin system system-admin task
    tasks team teams template templates tenant tenants terms test tests testing tls token tokens tool tools trial
    undefined unsubscribe update upload uploads user username users verify video void web webhook webhooks webmail
    webmaster websocket wiki work workspace workspaces ws www www1 www2 xml yourname yourdomain zone
    """.split()  # noqa: SIM905 - a paragraph is easier to keep than three hundred quotes
)


@dataclass(frozen=True, slots=True)
class SlugCheck:
    """``reason`` is None, ``invalid``, ``reserved`` or ``taken``; ``suggestions`` are free at the moment."""

    available: bool
    reason: str | None
    suggestions: list[str]


def slug_normalized(text: str) -> str:
    return unicodedata.normalize("NFKC", text.strip()).lower()


@cache
def reserved_words() -> frozenset[str]:
    """The words above, and the first segment of every path of the platform."""
    segments = set()
    for pattern in get_resolver().url_patterns:
        first = str(pattern.pattern).lstrip("^").split("/")[0]
        if re.fullmatch(r"[a-z0-9-]+", first):
            segments.add(first)
    return _WORDS | segments


def slug_refusal(slug: str) -> ErrorCode | None:
    """Why a normalised slug cannot be used, apart from being taken."""
    if not _FORM.fullmatch(slug) or slug.isdigit() or slug.startswith("xn--") or _is_uuid(slug):
        return errors.SLUG_INVALID
    words = reserved_words()
    if slug in words or (slug.endswith("s") and slug[:-1] in words):
        return errors.SLUG_RESERVED
    return None


def _is_uuid(slug: str) -> bool:
    try:
        UUID(slug)
    except ValueError:
        return False
    return True


def slug_is_taken(slug: str, *, by_others_than: UUID | None = None) -> bool:
    """Whether a tenant has it, or had it a while ago. ``by_others_than`` may have its own former one back.

    To be sure, ask once more behind the write that takes it: a slug is given up and kept back in one transaction,
    and that one may have ended in between.
    """
    return Tenant.objects.filter(slug=slug).exclude(id=by_others_than).exists() or slug_is_kept_back(
        slug, by_others_than=by_others_than
    )


def slug_is_kept_back(slug: str, *, by_others_than: UUID | None = None) -> bool:
    """Whether a tenant gave it up a short time ago."""
    rows = FormerSlug.objects.filter(slug=slug, until__gt=timezone.now())
    return (rows.exclude(tenant_id=by_others_than) if by_others_than else rows).exists()


def tenant_of_slug(slug: str) -> TenantRef | None:
    """The tenant that has this slug, else the one that had it until it was renamed a short time ago."""
    found = find_tenant(slug=slug)
    if found is not None:
        return found
    former = FormerSlug.objects.filter(slug=slug, until__gt=timezone.now()).values_list("tenant_id", flat=True).first()
    return find_tenant(id=former) if former else None


def slug_check(slug: str) -> SlugCheck:
    """Whether a new tenant could have this slug now, and what to take instead."""
    slug = slug_normalized(slug)
    refusal = slug_refusal(slug)
    if refusal is not None:
        reason = refusal.key.removeprefix("slug_")
    elif slug_is_taken(slug):
        reason = "taken"
    else:
        return SlugCheck(available=True, reason=None, suggestions=[])
    return SlugCheck(available=False, reason=reason, suggestions=_suggestions(slug))


def _suggestions(slug: str, wanted: int = 3) -> list[str]:
    base = re.sub(r"[^a-z0-9]+", "-", slug).strip("-")[: MAXIMUM - 5].strip("-") or "team"
    candidates = [f"{base}-{word}" for word in ("team", "app", "hq", "group")]
    candidates += [f"{base}-{number}" for number, _ in zip(count(2), range(6), strict=False)]
    usable = [candidate for candidate in candidates if slug_refusal(candidate) is None]
    taken = set(Tenant.objects.filter(slug__in=usable).values_list("slug", flat=True))
    taken |= set(FormerSlug.objects.filter(slug__in=usable, until__gt=timezone.now()).values_list("slug", flat=True))
    return [candidate for candidate in usable if candidate not in taken][:wanted]
