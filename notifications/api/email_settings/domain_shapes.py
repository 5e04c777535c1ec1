"""What the DNS says about the sender's domain, and what the whole comes to, on the wire."""

from typing import Any

from rest_framework import serializers

from notifications.email_settings.deliverability import STATUSES, Deliverability
from notifications.email_settings.domain_records import FAIL, INCLUDES, PASS, UNKNOWN, WARN
from notifications.email_settings.sections import DMARC_POLICIES, PROVIDERS
from notifications.email_settings.status import BLOCKING, WARNINGS
from platform_site.api.serializers import Moment, Shape, Text, Whole, YesNo

FINDINGS = (PASS, WARN, FAIL, UNKNOWN)


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
