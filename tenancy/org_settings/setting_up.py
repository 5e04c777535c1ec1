"""What the set-up asks about the company."""

from platform_site.setup_tasks import CheckResult
from tenancy.org_settings.catalog import COMPANY_NAME, LOGO_URL
from tenancy.org_settings.selectors import setting_values


def company_is_known() -> CheckResult:
    """Whether the company has a name, which it has since its sign-up unless somebody emptied it, and a logo."""
    chosen = setting_values([COMPANY_NAME, LOGO_URL])
    return CheckResult(bool(chosen[COMPANY_NAME.key]) and bool(chosen[LOGO_URL.key]), chosen[COMPANY_NAME.key] or "")
