"""The set-up is looked at also after a restore and an import: the job that sees to it may not have come along."""

from platform_site.archiving import AfterLoading, after_loading
from setup_hub.services.checking import look_tomorrow

after_loading.add(AfterLoading("setup_hub.look", lambda _: look_tomorrow()))
