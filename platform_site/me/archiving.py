"""What is closed for long goes also after a restore and an import: the job that sees to it may not have come along."""

from platform_site.archiving import AfterImport, AfterRestore, after_import, after_restore
from platform_site.me import retention

after_restore.add(AfterRestore("me.retention", lambda _: retention.arm()))
after_import.add(AfterImport("me.retention", retention.arm))
