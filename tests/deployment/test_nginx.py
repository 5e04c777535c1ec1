"""``deploy/nginx.conf`` in a real nginx, with TLS, before the real processes."""

import asyncio
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from benchmarks.processes import granian
from platform_site.local.layout import REPOSITORY
from tests.certificates import make_certificate
from tests.realtime.processes import Process, free_port
from tests.support import COMPANY, PASSWORD, database_environment

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
TOKEN = "a-token-of-sixteen-or-more"
pytestmark = [
    pytest.mark.commits,
    pytest.mark.skipif(NGINX is None, reason="NO NGINX HERE: deploy/nginx.conf is NOT tested (apt-get install nginx)"),
]


@dataclass
class Edge:
    http: int
    https: int
    trust: ssl.SSLContext
    log: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.call("GET", path, **options)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}{path}", verify=self.trust, timeout=60, **options)


def configuration(directory: Path, edge: Edge, web: int, realtime: int) -> Path:
    """The file as it is, with other ports, paths and a certificate, in the frame that Debian puts around it."""
    certificate, key = make_certificate(directory, "127.0.0.1")
    edge.trust.load_verify_locations(certificate)
    text = (REPOSITORY / "deploy" / "nginx.conf").read_text()
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{web}",
        "127.0.0.1:8001": f"127.0.0.1:{realtime}",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "listen 80;": f"listen 127.0.0.1:{edge.http};",
        "listen 443 ssl": f"listen 127.0.0.1:{edge.https} ssl",
        "server_name platform.example.com;": "server_name localhost;",
        "/etc/ssl/platform/fullchain.pem": str(certificate),
        "/etc/ssl/platform/key.pem": str(key),
        "/var/log/nginx/platform.log": str(edge.log),
    }
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    (directory / "site.conf").write_text(text)
    (directory / "temporary").mkdir()
    temporary = "".join(
        f"{name}_temp_path {directory}/temporary;\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = directory / "nginx.conf"
    # Its workers would be somebody else, who may not write here.
    user = "user root;\n" if os.geteuid() == 0 else ""
    whole.write_text(
        f"{user}pid {directory}/pid;\nerror_log {directory}/error.log;\nworker_processes 1;\ndaemon off;\n"
        f"events {{}}\nhttp {{\n{temporary}include {directory}/site.conf;\n}}\n"
    )
    return whole


@pytest.fixture
def edge(committed: str, tmp_path: Path) -> Iterator[Edge]:
    environment = {
        **database_environment(committed),
        "TRUSTED_PROXIES": "127.0.0.1",
        "TRUST_FORWARDED_PROTO": "1",
        "METRICS_TOKEN": TOKEN,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "counts"),
    }
    edge = Edge(free_port(), free_port(), ssl.create_default_context(), tmp_path / "access.log")
    realtime = Process({**environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "more")}, tmp_path / "realtime.log")
    with granian(environment, workers=1) as web:
        realtime.start()
        whole = configuration(tmp_path, edge, web.port, realtime.port)
        command = [str(NGINX), "-c", str(whole), "-p", str(tmp_path)]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        assert "warn" not in tested.stderr
        nginx = subprocess.Popen(command)
        try:
            wait_for(edge)
            yield edge
        finally:
            nginx.terminate()
            nginx.wait(20)
            realtime.stop()


def wait_for(edge: Edge) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if edge.get("/api/v1/health/live").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("nginx does not answer")


# One test, because starting all of this takes longer than asking it.
def test_requests_sockets_and_what_is_not_for_the_public(edge: Edge) -> None:
    sent = {"email": f"admin@{COMPANY}.test", "password": PASSWORD, "tenantSlug": COMPANY}
    signed_in = edge.call("POST", "/api/v1/auth/login", json=sent, headers={"X-Forwarded-For": "203.0.113.7"})
    assert signed_in.status_code == 200, signed_in.text
    assert "max-age=" in signed_in.headers["Strict-Transport-Security"]
    token = signed_in.json()["data"]["accessToken"]

    asked = edge.get("/api/v1/auth/sessions", headers={"Authorization": f"Bearer {token}"})
    assert asked.status_code == 200, asked.text
    # What a client says about its address is dropped; the one that nginx sees counts.
    assert "203.0.113.7" not in asked.text
    assert "127.0.0.1" in asked.text

    plain = httpx.get(f"http://127.0.0.1:{edge.http}/api/v1/health", headers={"Host": "localhost"})
    assert (plain.status_code, plain.headers["Location"]) == (301, "https://localhost/api/v1/health")

    assert edge.get("/static/pages/pages.css").status_code == 200
    for headers in ({}, {"Authorization": f"Bearer {TOKEN}"}):
        assert edge.get("/metrics", headers=headers).status_code == 404

    json = {"Content-Type": "application/json"}
    # Both are refused before anybody looks at the body, and nginx still writes it then.
    for path, size, refused in (
        ("/api/v1/auth/login", 2_000_000, (413, "payload_too_large")),
        ("/api/v1/users", 900_000, (401, "not_authenticated")),
    ):
        for _ in range(20):
            answer = edge.call("POST", path, content=b"x" * size, headers=json)
            assert (answer.status_code, answer.json()["error"]["code"]) == refused
    assert edge.call("POST", "/api/v1/auth/login", content=b"x" * 9_000_000).status_code == 413

    edge.get("/verify-email/vfy_a-secret-that-is-for-no-log")
    asyncio.run(_speak(edge, token))
    log = edge.log.read_text()
    assert '"path":"/api/v1/auth/login"' in log
    assert '"path":"/verify-email/[redacted]"' in log
    assert "a-secret" not in log


async def _speak(edge: Edge, token: str) -> None:
    address = f"wss://localhost:{edge.https}/ws/v1"
    async with connect(address, ssl=edge.trust) as socket:
        await socket.send(f'{{"t": "auth", "token": "{token}"}}')
        assert '"ready"' in str(await asyncio.wait_for(socket.recv(), 30))
    with pytest.raises(InvalidStatus):
        async with connect(f"wss://localhost:{edge.https}/api/v1/health", ssl=edge.trust):
            pass
