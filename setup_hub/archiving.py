"""The set-up is looked at also after a restore and an import: the job that sees to it may not have come along."""

from platform_site.archiving import AfterImport, AfterRestore, after_import, after_restore
from setup_hub.services.checking import look_tomorrow

after_restore.add(AfterRestore("setup_hub.look", lambda _: look_tomorrow()))
after_import.add(AfterImport("setup_hub.look", look_tomorrow))
