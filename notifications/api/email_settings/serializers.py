"""What the sections of the e-mail settings look like on the wire."""

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from notifications.email_settings.sections import DMARC_POLICIES, LAWFUL_BASES, PROVIDERS
from platform_site.api.serializers import Lines, Shape, Text, Whole, YesNo

DOMAIN = {"pattern": r"^[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"}


def only(value: bool, wanted: bool, message: str) -> bool:
    """For what is shown and cannot be otherwise."""
    if value is not wanted and value is not None:
        raise ValidationError(message, code="invalid")
    return value


class SenderInput(Shape):
    """What is not named stays; null goes back to the default."""

    from_name = Text(required=False, allow_null=True, max_length=64)
    reply_to = Text(required=False, allow_null=True, max_length=254)


class SenderOutput(Shape):
    """A null ``fromName`` is the company's name."""

    from_name = Text(allow_null=True)
    reply_to = Text(allow_null=True)


class TrackingSettingsInput(Shape):
    """What is not named stays; null goes back to the default. ``trackSecurityEmails`` is always false."""

    open_tracking = YesNo(required=False, allow_null=True)
    click_tracking = YesNo(required=False, allow_null=True)
    require_consent = YesNo(required=False, allow_null=True)
    track_security_emails = YesNo(required=False, allow_null=True)
    anonymize_ip = YesNo(required=False, allow_null=True)
    retention_days = Whole(required=False, allow_null=True, min_value=1, max_value=365)

    def validate_trackSecurityEmails(self, value: bool) -> bool:
        return only(value, False, "Mail about security is never tracked.")


class TrackingSettingsOutput(Shape):
    open_tracking = YesNo()
    click_tracking = YesNo()
    require_consent = YesNo()
    track_security_emails = YesNo()
    anonymize_ip = YesNo()
    retention_days = Whole(min_value=1)


class CanSpamInput(Shape):
    enabled = YesNo(required=False, allow_null=True)
    company_name = Text(required=False, allow_null=True, allow_blank=True, max_length=200)
    physical_address = Lines(required=False, allow_null=True, allow_blank=True, max_length=500)


class GdprInput(Shape):
    enabled = YesNo(required=False, allow_null=True)
    privacy_policy_url = Text(required=False, allow_null=True, max_length=500)
    dpo_email = Text(required=False, allow_null=True, max_length=254)
    lawful_basis = serializers.ChoiceField(choices=LAWFUL_BASES, required=False, allow_null=True)
    consent_text = Lines(required=False, allow_null=True, allow_blank=True, max_length=2000)
    retention_days = Whole(required=False, allow_null=True, min_value=1, max_value=3650)


class UnsubscribeInput(Shape):
    one_click = YesNo(required=False, allow_null=True)
    list_unsubscribe = YesNo(required=False, allow_null=True)

    def validate_oneClick(self, value: bool) -> bool:
        return only(value, True, "Everybody can unsubscribe with one click.")

    def validate_listUnsubscribe(self, value: bool) -> bool:
        return only(value, True, "Mail programs always offer to unsubscribe.")


class ComplianceInput(Shape):
    """What is not named stays, also within a part; null goes back to the default. ``unsubscribe`` is always on."""

    can_spam = CanSpamInput(required=False, allow_null=True)
    gdpr = GdprInput(required=False, allow_null=True)
    unsubscribe = UnsubscribeInput(required=False, allow_null=True)
    suppress_on_complaint = YesNo(required=False, allow_null=True)


class CanSpamOutput(Shape):
    enabled = YesNo()
    company_name = Text()
    physical_address = Lines()


class GdprOutput(Shape):
    enabled = YesNo()
    privacy_policy_url = Text(allow_null=True)
    dpo_email = Text(allow_null=True)
    lawful_basis = serializers.ChoiceField(choices=LAWFUL_BASES)
    consent_text = Lines()
    retention_days = Whole(min_value=1)


class UnsubscribeOutput(Shape):
    one_click = YesNo()
    list_unsubscribe = YesNo()


class ComplianceOutput(Shape):
    can_spam = CanSpamOutput()
    gdpr = GdprOutput()
    unsubscribe = UnsubscribeOutput()
    suppress_on_complaint = YesNo()


class FooterInput(Shape):
    """What is not named stays; null goes back to the default."""

    enabled = YesNo(required=False, allow_null=True)
    html = Lines(required=False, allow_null=True, allow_blank=True, max_length=10240)
    text = Lines(required=False, allow_null=True, allow_blank=True, max_length=10240)
    include_address = YesNo(required=False, allow_null=True)
    include_unsubscribe = YesNo(required=False, allow_null=True)
    include_social = serializers.ListField(child=Text(max_length=300), required=False, allow_null=True, max_length=6)


class FooterOutput(Shape):
    """``html`` as it was kept: what mail must not have is taken out."""

    enabled = YesNo()
    html = Lines()
    text = Lines()
    include_address = YesNo()
    include_unsubscribe = YesNo()
    include_social = serializers.ListField(child=Text())


class DeliverabilityInput(Shape):
    """What is not named stays; null goes back to the default."""

    domain = Text(required=False, allow_null=True, max_length=253)
    dkim_selectors = serializers.ListField(
        child=serializers.RegexField(r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z"),
        required=False,
        allow_null=True,
        max_length=5,
    )
    provider = serializers.ChoiceField(choices=PROVIDERS, required=False, allow_null=True)
    dmarc_policy_target = serializers.ChoiceField(choices=DMARC_POLICIES, required=False, allow_null=True)
