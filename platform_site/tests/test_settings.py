"""Settings from the environment: typed readers, checks for what cannot be meant, a clean production."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from platform_site import checks
from platform_site.settings import env
from platform_site.settings.data import database_from_url

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 43


class TestReaders:
    @pytest.mark.parametrize(("value", "read"), [("1", True), ("yes", True), ("ON", True), ("0", False), ("", False)])
    def test_flags(self, monkeypatch: pytest.MonkeyPatch, value: str, read: bool) -> None:
        monkeypatch.setenv("SOME", value)
        assert env.flag("SOME") is read

    @pytest.mark.parametrize(
        ("reader", "value"),
        [
            (env.flag, "maybe"),
            (lambda name: env.integer(name, 1), "many"),
            (lambda name: env.integer(name, 1, minimum=1), "0"),
            (env.keyring, "no-colon"),
            (env.keyring, ":key"),
            (env.mapping, "[1]"),
            (env.mapping, '{"a": 1}'),
        ],
    )
    def test_what_does_not_fit_is_named(self, monkeypatch: pytest.MonkeyPatch, reader: Any, value: str) -> None:
        monkeypatch.setenv("SOME", value)
        with pytest.raises(ImproperlyConfigured, match="SOME"):
            reader("SOME")

    def test_a_secret_may_lie_in_a_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("hush\n")
        monkeypatch.setenv("SOME_FILE", str(tmp_path / "secret"))
        assert env.secret("SOME") == "hush"
        monkeypatch.setenv("SOME_FILE", str(tmp_path / "missing"))
        with pytest.raises(ImproperlyConfigured, match="SOME_FILE"):
            env.secret("SOME")

    def test_a_key_ring_is_read_newest_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOME", "new:abc, old:def")
        assert env.keyring("SOME") == [("new", "abc"), ("old", "def")]

    def test_database_urls(self) -> None:
        whole = database_from_url("postgresql://us%40er:p%3Aw@db.example.test:6432/main?sslmode=require")
        assert whole == {
            "NAME": "main",
            "USER": "us@er",
            "PASSWORD": "p:w",
            "HOST": "db.example.test",
            "PORT": "6432",
            "QUERY": {"sslmode": "require"},
        }
        assert database_from_url("postgresql://me@/main?host=/run/pg")["HOST"] == "/run/pg"


@pytest.mark.parametrize(
    ("check", "change", "found"),
    [
        (checks.check_keys, {"JWT_KEYS": []}, ["platform.E001"]),
        (checks.check_keys, {"TOKEN_KEYS": []}, ["platform.E002"]),
        (checks.check_keys, {"ENCRYPTION_KEYS": []}, ["platform.E003"]),
        (checks.check_keys, {"JWT_KEYS": [("a", "short")]}, ["platform.E004"]),
        (checks.check_keys, {"JWT_KEYS": [("a", KEY), ("b", KEY), ("c", KEY)]}, ["platform.E005"]),
        (checks.check_keys, {"JWT_KEYS": [("a", KEY), ("a", KEY)]}, ["platform.E006"]),
        (checks.check_keys, {"JWT_KEYS": [("schlüssel", KEY)]}, ["platform.E008"]),
        (checks.check_keys, {"SECRET_KEY": KEY, "JWT_KEYS": [("a", KEY)]}, ["platform.E007"]),
        (checks.check_proxies, {"TRUSTED_PROXIES": ["everybody"]}, ["platform.E011"]),
        (checks.check_proxies, {"TRUSTED_PROXIES": ["0.0.0.0/0"]}, ["platform.E012"]),
        (checks.check_proxies, {"TRUSTED_PROXIES": ["10.0.0.0/8"]}, []),
        (
            checks.check_lifetimes,
            {"SESSION_IDLE_SECONDS": 100, "SESSION_ABSOLUTE_SECONDS": 10},
            ["platform.E013"],
        ),
        (checks.check_lifetimes, {"ACCESS_TOKEN_SECONDS": 86400}, ["platform.W001"]),
        (checks.check_lifetimes, {"REFRESH_GRACE_SECONDS": 600}, ["platform.W002"]),
        (checks.check_cors, {"CORS_ALLOW_CREDENTIALS": True, "CORS_ALLOWED_ORIGINS": []}, ["platform.E014"]),
        (checks.check_downstream, {"DOWNSTREAM_SERVICES": {"crm": "ftp://x"}}, ["platform.E015"]),
        (checks.check_downstream, {"DOWNSTREAM_SERVICES": {"crm": "https://x"}}, []),
        (checks.check_metrics, {"METRICS_TOKEN": "short"}, ["platform.E016"]),
        (checks.check_metrics, {"METRICS_TOKEN": ""}, []),
    ],
)
def test_what_cannot_be_meant_has_an_id(settings: Any, check: Any, change: dict[str, Any], found: list[str]) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    assert [message.id for message in check()] == found


def production(**change: str) -> "subprocess.CompletedProcess[str]":
    """``check --deploy`` as an operator runs it, with nothing of the test's environment."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgresql://platform:secret@db.internal/platform",
        "REDIS_URL": "redis://valkey.internal:6379/0",
        "EMAIL_URL": "smtp+tls://mailer:secret@mail.internal:587",
        "SECRET_KEY": "s3cr3t-" + "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFGHIJ",
        "JWT_KEYS": "k1:" + "j" * 43,
        "TOKEN_KEYS": "k1:" + "t" * 43,
        "ENCRYPTION_KEYS": "k1:" + "e" * 43,
        "ALLOWED_HOSTS": "api.example.test",
        "PUBLIC_URL": "https://api.example.test",
        **change,
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_production_settings_are_clean() -> None:
    checked = production()
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"JWT_KEYS": ""}, "platform.E001"),
        ({"RATE_LIMITS": "off"}, "platform.E010"),
        ({"PUBLIC_URL": "http://api.example.test"}, "platform.W011"),
        ({"DEBUG": "1"}, "security.W018"),
    ],
)
def test_what_is_wrong_in_production_is_said(change: dict[str, str], found: str) -> None:
    checked = production(**change)
    assert checked.returncode != 0
    assert found in checked.stderr + checked.stdout


def test_development_pages_need_debug_and_the_embedded_database(settings: Any) -> None:
    assert settings.DEVELOPMENT_PAGES is False
