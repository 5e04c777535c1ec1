"""HTTP for granian: ``granian --interface wsgi platform_site.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_site.settings")
_django = get_wsgi_application()

from platform_site import tracing  # noqa: E402 - Django must be set up first
from platform_site.long_lived import keep_what_is_loaded, load_views  # noqa: E402
from platform_site.metrics.serving import with_metrics  # noqa: E402
from platform_site.unread_bodies import read_to_the_end  # noqa: E402

tracing.start("web")
application = with_metrics(read_to_the_end(_django), "web")
load_views()
keep_what_is_loaded()
