"""What notifications add to the platform's catalogues. Numbers 30 to 39 of the permissions are theirs."""

from collections.abc import Mapping
from typing import Any

from notifications import setting_up
from platform_site.action_items import ActionSource, action_sources
from platform_site.derived_values import DerivedValue, derived_values
from platform_site.journal.keys import journal_key
from platform_site.permissions import permission
from platform_site.sealed_columns import SealedColumn, sealed_columns
from platform_site.setup_tasks import SetupTask, setup_task
from platform_site.unread import UnreadSource, unread_sources

NOTIFICATIONS_SEND = permission("notifications.send", 30, "Raise notifications", min_role="manager")
DEFAULTS_MANAGE = permission(
    "notification_defaults.manage", 33, "Set what people are notified of by default", min_role="tenant_admin"
)
EMAIL_SETTINGS_MANAGE = permission(
    "email_settings.manage", 31, "Change how the company's mail is sent", min_role="tenant_admin"
)

TEMPLATES_MANAGE = permission(
    "notification_templates.manage", 32, "Write the company's own texts of notifications", min_role="tenant_admin"
)

NOTIFICATION_RAISED = journal_key(
    "notifications.raised", "A service of the tenant's own raised a notification", audited=False
)
PREFERENCE_CHANGED = journal_key(
    "notifications.preference_changed", "Somebody changed how to be notified", audited=False
)
DEFAULTS_CHANGED = journal_key(
    "notifications.defaults_changed", "Somebody changed what people are notified of by default, or have to be"
)
DIGEST_SETTINGS_CHANGED = journal_key(
    "notifications.digest_settings_changed", "Somebody changed the own digests", audited=False
)
ADDRESS_SUPPRESSED = journal_key(
    "notifications.address_suppressed", "An address gets no more mail, or no optional mail"
)
SUPPRESSION_LIFTED = journal_key("notifications.suppression_lifted", "An address gets mail again")
DELIVERY_RESENT = journal_key("notifications.delivery_resent", "A mail that had not arrived was sent again")
UNSUBSCRIBED = journal_key(
    "notifications.unsubscribed", "Somebody changed what comes by mail, by a link in one", audited=False
)
CONSENT_CHANGED = journal_key(
    "notifications.tracking_consent_changed",
    "Somebody agreed, or agrees no longer, that opening mails is noticed",
    audited=False,
)
EMAIL_SETTINGS_CHANGED = journal_key("notifications.email_settings_changed", "The company's mail settings were changed")
SMTP_TESTED = journal_key("notifications.smtp_tested", "The company's mail server was tested")
SMTP_PAUSED = journal_key("notifications.smtp_paused", "The company's mail server failed too often and is left alone")
TEMPLATE_CUSTOMIZED = journal_key("notifications.template_customized", "Somebody wrote a text of the company's own")
TEMPLATE_RESET = journal_key("notifications.template_reset", "Somebody went back to the default text")
TEMPLATE_FELL_BACK = journal_key(
    "notifications.template_fell_back", "A text of the company's own could not be filled; the default went out"
)

# As the inbox counts it, by the index of what is unread there.
unread_sources.add(
    UnreadSource(
        "notifications",
        """SELECT user_id, count(*) FROM notifications_notification
            WHERE user_id = ANY(%(users)s::bigint[]) AND in_inbox AND dismissed_at IS NULL AND read_at IS NULL
            GROUP BY user_id""",
    )
)

setup_task(
    SetupTask(
        code="notifications.sender",
        title="Say who your mail is from",
        description="The name that readers see, and where their answers go.",
        category="email",
        order=40,
        check=setting_up.sender_is_set,
        action_path="/settings/email/sender",
        estimate_minutes=2,
        advanced_by=(EMAIL_SETTINGS_CHANGED,),
    )
)
setup_task(
    SetupTask(
        code="notifications.smtp_tested",
        title="Use your own mail server",
        description="Enter your mail server and send yourself a test. Without one, mail goes by the platform's server.",
        category="email",
        order=50,
        check=setting_up.server_is_tested,
        required=False,
        action_path="/settings/email/smtp",
        estimate_minutes=10,
        depends_on=("notifications.sender",),
        advanced_by=(EMAIL_SETTINGS_CHANGED, SMTP_TESTED),
    )
)
setup_task(
    SetupTask(
        code="notifications.domain_records",
        title="Let your domain vouch for your mail",
        description="Add the DNS records for SPF, DKIM and DMARC, so that your mail is not taken for spam.",
        category="email",
        order=60,
        check=setting_up.domain_is_fine,
        required=setting_up.DOMAIN_IS_REQUIRED,
        action_path="/settings/email/deliverability",
        estimate_minutes=20,
        applies=setting_up.sends_from_a_domain,
        advanced_by=(EMAIL_SETTINGS_CHANGED,),
    )
)
action_sources.add(ActionSource("email", setting_up.mail_server_fails, needs=EMAIL_SETTINGS_MANAGE))
action_sources.add(ActionSource("notifications", setting_up.notifications_to_act_on))


# Not at the top of the file: the services import it.


def _password_place(row: Any) -> str:
    from notifications.email_settings.smtp_server import password_place

    return password_place(row)


def _suppressions_by_key() -> Mapping[str, int]:
    from notifications.services.suppressing import suppressions_by_key

    return suppressions_by_key()


def _suppressions_renew() -> int:
    from notifications.services.suppressing import suppressions_renew

    return suppressions_renew()


sealed_columns.add(
    SealedColumn(
        key="notifications.smtp_passwords",
        model="notifications.SmtpServer",
        column="sealed_password",
        place=_password_place,
        sealed_by="notifications.email_settings.smtp_server._apply_password",
    )
)
derived_values.add(DerivedValue("notifications.suppressions", _suppressions_by_key, renew=_suppressions_renew))
