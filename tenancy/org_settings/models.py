"""The values that a tenant has chosen. What is not here has its default."""

from django.db import models

from platform_site.fields import JsonField


class OrgSetting(models.Model):
    """One chosen value, as JSON; a secret one is sealed instead (``platform_site.keys.seal``)."""

    key = models.CharField(max_length=80, primary_key=True)
    value = JsonField(null=True)
    sealed = models.BinaryField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.key
