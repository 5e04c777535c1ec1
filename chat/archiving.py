"""Old messages go also after a restore and an import: the job that sees to it may not have come along."""

from chat.services import retention
from platform_site.archiving import AfterLoading, after_loading

after_loading.add(AfterLoading("chat.retention", lambda _: retention.arm()))
