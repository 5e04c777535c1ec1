"""Watching: metrics for Prometheus. Traces have OpenTelemetry's own variables (``platform_site/tracing.py``)."""

from platform_site.settings import env

# Who shows it may read /metrics. Empty: nothing is counted, and there is no such page.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
# Where processes without a port of their own (worker, dispatcher) answer. 0: nowhere.
METRICS_PORT = env.integer("METRICS_PORT", 0)
METRICS_HOST = env.text("METRICS_HOST", "127.0.0.1")
# What runs here, as whoever built it calls it.
RELEASE = env.text("RELEASE")
