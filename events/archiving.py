"""Old events go also after a restore and an import: the job that sees to it may not have come along."""

from events.services import retention
from platform_site.archiving import AfterLoading, after_loading

after_loading.add(AfterLoading("events.retention", lambda _: retention.arm()))
