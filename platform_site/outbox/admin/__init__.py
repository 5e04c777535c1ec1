"""The outbox as staff see it: of the whole platform, and of one tenant in the lens."""

from platform_site.outbox.admin import of_tenant, platform

__all__ = ["of_tenant", "platform"]
