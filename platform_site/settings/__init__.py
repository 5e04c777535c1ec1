"""Settings in one reading order, all from the environment.

base -> data (database, Valkey, Celery) -> api -> security -> mail -> billing -> logging -> metrics,
and last the few changes that tests need. ``.env.example`` lists every variable.
Choices that belong to a tenant are organisation settings, never Django settings.
"""

from platform_site.settings import env
from platform_site.settings.base import *
from platform_site.settings.data import *
from platform_site.settings.api import *
from platform_site.settings.security import *
from platform_site.settings.mail import *
from platform_site.settings.billing import *
from platform_site.settings.admin import *
from platform_site.settings.lens import *
from platform_site.settings.logging import *
from platform_site.settings.metrics import *

if env.text("PLATFORM_ENV") == "test":
    from platform_site.settings.test import *
