"""Old events go also after a restore and an import: the job that sees to it may not have come along."""

from events.services import retention
from platform_site.archiving import AfterImport, AfterRestore, after_import, after_restore

after_restore.add(AfterRestore("events.retention", lambda _: retention.arm()))
after_import.add(AfterImport("events.retention", retention.arm))
