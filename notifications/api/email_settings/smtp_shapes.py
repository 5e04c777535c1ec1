"""What the mail server, the DNS, the status and suppressed addresses look like on the wire."""

from typing import Any

from rest_framework import serializers

from notifications.email_settings.deliverability import STATUSES, Deliverability
from notifications.email_settings.domain_records import FAIL, INCLUDES, PASS, UNKNOWN, WARN
from notifications.email_settings.sections import DMARC_POLICIES, PROVIDERS
from notifications.email_settings.smtp_server import SECURITIES
from notifications.email_settings.smtp_testing import CODES, STAGES
from notifications.email_settings.status import BLOCKING, WARNINGS
from notifications.models import SmtpServer, Suppression
from platform_site.api.serializers import Moment, Secret, Shape, Text, Whole, YesNo
from platform_site.moments import read_moment

FINDINGS = (PASS, WARN, FAIL, UNKNOWN)


class SmtpInput(Shape):
    """What is not named stays; null goes back to the default, and a null ``host`` removes the server."""

    enabled = YesNo(required=False, allow_null=True)
    host = Text(required=False, allow_null=True, max_length=253)
    port = Whole(required=False, allow_null=True, min_value=1, max_value=65535)
    username = Text(required=False, allow_null=True, allow_blank=True, max_length=254)
    password = Secret(required=False, allow_null=True, max_length=500)
    security = serializers.ChoiceField(choices=SECURITIES, required=False, allow_null=True)
    from_email = Text(required=False, allow_null=True, max_length=254)
    fallback_to_platform = YesNo(required=False, allow_null=True)


class TlsOutput(Shape):
    version = Text()
    cipher = Text()


class TestOutput(Shape):
    """``stage`` is the last one it came to; ``code`` is null when it worked."""

    ok = YesNo()
    stage = serializers.ChoiceField(choices=STAGES)
    code = serializers.ChoiceField(choices=CODES, allow_null=True)
    smtp_code = Whole(allow_null=True)
    latency_ms = Whole(min_value=0)
    tls = TlsOutput(allow_null=True)


class LastTestOutput(TestOutput):
    at = Moment()


class SmtpOutput(Shape):
    """The password is never in it. ``verifiedAt``: when exactly these values worked; before that nothing uses them."""

    configured = YesNo()
    enabled = YesNo()
    host = Text(allow_null=True)
    port = Whole(allow_null=True)
    username = Text(allow_null=True)
    security = serializers.ChoiceField(choices=SECURITIES, allow_null=True)
    from_email = Text(allow_null=True)
    has_password = YesNo()
    password_updated_at = Moment(allow_null=True)
    fallback_to_platform = YesNo()
    verified_at = Moment(allow_null=True)
    last_test = LastTestOutput(allow_null=True)
    failures = Whole(min_value=0)
    paused_until = Moment(allow_null=True)


class SmtpTestInput(Shape):
    """``to`` is one's own address, and so is the default."""

    to = Text(required=False, max_length=254)


class RecordOutput(Shape):
    purpose = serializers.ChoiceField(choices=("spf", "dkim", "dmarc", "mx", "domain"))
    type = serializers.ChoiceField(choices=("TXT", "MX"))
    host = Text()
    status = serializers.ChoiceField(choices=FINDINGS)
    expected = Text()
    found = Text()
    message = Text()


class SpfOutput(Shape):
    status = serializers.ChoiceField(choices=FINDINGS)
    lookups = Whole(allow_null=True)
    all = Text(allow_null=True)


class FoundOutput(Shape):
    status = serializers.ChoiceField(choices=FINDINGS)


class DmarcOutput(Shape):
    status = serializers.ChoiceField(choices=FINDINGS)
    policy = Text(allow_null=True)


class ChecksOutput(Shape):
    spf = SpfOutput()
    dkim = FoundOutput()
    dmarc = DmarcOutput()
    mx = FoundOutput()
    free_mail_from = YesNo()


class DeliverabilityOutput(Shape):
    """``domain`` is the one that counts: what was chosen, else that of the mail server's sender."""

    domain = Text(allow_null=True)
    dkim_selectors = serializers.ListField(child=Text())
    provider = serializers.ChoiceField(choices=PROVIDERS, allow_null=True)
    dmarc_policy_target = serializers.ChoiceField(choices=DMARC_POLICIES)
    expected_spf_include = Text(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES)
    records = RecordOutput(many=True)
    checks = ChecksOutput(allow_null=True)
    last_checked_at = Moment(allow_null=True)
    next_check_at = Moment(allow_null=True)


class SmtpStatus(Shape):
    configured = YesNo()
    enabled = YesNo()
    verified = YesNo()
    last_test_ok = YesNo(allow_null=True)
    paused = YesNo()


class SenderStatus(Shape):
    from_name_set = YesNo()
    reply_to_set = YesNo()


class TrackingStatus(Shape):
    open_tracking = YesNo()
    click_tracking = YesNo()


class ComplianceStatus(Shape):
    complete = YesNo()
    missing = serializers.ListField(child=Text())


class FooterStatus(Shape):
    enabled = YesNo()


class DeliverabilityStatus(Shape):
    status = serializers.ChoiceField(choices=STATUSES)
    spf = serializers.ChoiceField(choices=FINDINGS, allow_null=True)
    dkim = serializers.ChoiceField(choices=FINDINGS, allow_null=True)
    dmarc = serializers.ChoiceField(choices=FINDINGS, allow_null=True)


class SectionsStatus(Shape):
    smtp = SmtpStatus()
    sender = SenderStatus()
    tracking = TrackingStatus()
    compliance = ComplianceStatus()
    footer = FooterStatus()
    deliverability = DeliverabilityStatus()


class SuppressedCount(Shape):
    count = Whole(min_value=0)


class LastDay(Shape):
    sent = Whole(min_value=0)
    bounced = Whole(min_value=0)
    complained = Whole(min_value=0)
    bounce_rate = serializers.FloatField(allow_null=True)
    complaint_rate = serializers.FloatField(allow_null=True)


class EmailStatusOutput(Shape):
    """``ready``: mail can go now. ``mode``: by which server what is not about security goes."""

    ready = YesNo()
    mode = serializers.ChoiceField(choices=("tenant_smtp", "platform"))
    sections = SectionsStatus()
    blocking = serializers.ListField(child=serializers.ChoiceField(choices=BLOCKING))
    warnings = serializers.ListField(child=serializers.ChoiceField(choices=WARNINGS))
    suppressed = SuppressedCount()
    last24h = LastDay()


class SuppressionOutput(Shape):
    """An address whose person was erased is "". A null ``expiresAt`` is for good."""

    id = serializers.UUIDField()
    email = Text()
    reason = serializers.ChoiceField(choices=Suppression.Reason.values)
    scope = serializers.ChoiceField(choices=Suppression.Scope.values)
    detail = Text()
    created_at = Moment()
    expires_at = Moment(allow_null=True)


def present_server(row: SmtpServer | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "configured": row is not None,
        "enabled": row is not None and row.enabled,
        "has_password": row is not None and row.sealed_password is not None,
        "fallback_to_platform": row is not None and row.fallback_to_platform,
        "failures": row.failures if row else 0,
    }
    for name in (
        "host",
        "port",
        "username",
        "security",
        "from_email",
        "password_updated_at",
        "verified_at",
        "paused_until",
    ):
        shown[name] = getattr(row, name) if row else None
    last = row.last_test if row else None
    shown["last_test"] = {**last, "code": last["code"] or None, "at": read_moment(last["at"])} if last else None
    return dict(SmtpOutput(shown).data)


def present_deliverability(state: Deliverability) -> dict[str, Any]:
    shown = {
        **state.values,
        "domain": state.domain or None,
        "expected_spf_include": INCLUDES.get(state.values["provider"] or ""),
        "status": state.status,
        "records": state.result.get("records", []),
        "checks": state.result.get("checks"),
        "last_checked_at": state.checked_at,
        "next_check_at": state.next_check_at,
    }
    return dict(DeliverabilityOutput(shown).data)
