"""What travelling does to secret settings."""

from platform_site.archiving import SealedColumn, sealed_columns
from tenancy.org_settings.models import OrgSetting
from tenancy.org_settings.selectors import secret_place

sealed_columns.add(SealedColumn(OrgSetting, "sealed", lambda row: secret_place(row.key)))
