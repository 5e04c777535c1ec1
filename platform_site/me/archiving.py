"""What is closed for long goes also after a restore and an import: the job that sees to it may not have come along."""

from platform_site.archiving import AfterLoading, after_loading
from platform_site.me import retention

after_loading.add(AfterLoading("me.retention", lambda _: retention.arm()))
