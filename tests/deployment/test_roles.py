"""The roles that PostgreSQL's image makes on its first day, by the script that compose.yaml gives it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from platform_site.local.layout import REPOSITORY, Layout
from platform_site.local.postgres_binaries import find_binaries
from platform_site.settings.data import database_from_url
from tests.deployment.made_secrets import make_secrets
from tests.servers import private_postgres

SCRIPT = REPOSITORY / "deploy" / "postgres" / "10-roles.sh"
pytestmark = pytest.mark.no_django


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("secrets") / "secrets"
    make_secrets(directory, "--database-host", "db.internal", "--valkey-host", "valkey.internal")
    return directory


@pytest.fixture(scope="module")
def address(secrets: Path) -> Iterator[dict[str, Any]]:
    """Host and port of a PostgreSQL in which the script was run, by psql as the image runs it."""
    home = Path(tempfile.mkdtemp(prefix="roles-", dir="/var/tmp"))
    home.chmod(0o711)
    try:
        with private_postgres(home):
            layout = Layout(home)
            address: dict[str, Any] = {"host": str(layout.postgres_socket_dir), "port": "5432"}
            # In the image there is no database of ours yet, and no role.
            with psycopg.connect(**address, user="postgres", dbname="postgres", autocommit=True) as server:
                server.execute("DROP DATABASE IF EXISTS platform")
                for role in ("platform_owner", "platform_app"):
                    server.execute(f"DROP ROLE IF EXISTS {role}")
            ended = subprocess.run(
                ["/bin/sh", str(SCRIPT)],
                env={
                    "PATH": f"{find_binaries().directory}:{os.environ['PATH']}",
                    "PGHOST": address["host"],
                    "PGPORT": address["port"],
                    "POSTGRES_USER": "postgres",
                    "OWNER_PASSWORD_FILE": str(secrets / "postgres_owner_password"),
                    "APP_PASSWORD_FILE": str(secrets / "postgres_app_password"),
                },
                capture_output=True,
                text=True,
                check=False,
            )
            assert ended.returncode == 0, ended.stderr
            assert ended.stderr == ""
            yield address
    finally:
        shutil.rmtree(home)
        shutil.rmtree(Layout(home).socket_dir, ignore_errors=True)


def as_role(address: dict[str, Any], url: str) -> "psycopg.Connection[tuple[object, ...]]":
    found = database_from_url(url)
    who: dict[str, Any] = {"user": found["USER"], "password": found["PASSWORD"], "dbname": found["NAME"]}
    return psycopg.connect(**address, **who, autocommit=True)


def test_the_owner_can_make_what_migrations_make(address: dict[str, Any], secrets: Path) -> None:
    with as_role(address, (secrets / "database_owner_url").read_text().strip()) as owner:
        owner.execute("CREATE EXTENSION pg_trgm")
        owner.execute("CREATE SCHEMA t_0123456789abcdef")
        owner.execute("CREATE TABLE public.things (id bigint)")


def test_the_application_can_make_nothing(address: dict[str, Any], secrets: Path) -> None:
    for statement in ("CREATE TABLE public.mine (id bigint)", "CREATE SCHEMA mine", "CREATE ROLE mine"):
        with (
            as_role(address, (secrets / "database_url").read_text().strip()) as application,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            application.execute(statement)


def test_both_passwords_are_those_of_the_files(address: dict[str, Any], secrets: Path) -> None:
    """The server of this test asks nobody for a password, so what it has stored is compared."""
    with psycopg.connect(**address, user="postgres", dbname="postgres") as server:
        for role, file in (("platform_owner", "postgres_owner_password"), ("platform_app", "postgres_app_password")):
            row = server.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role]).fetchone()
            assert row is not None
            assert scram_matches(str(row[0]), (secrets / file).read_text().strip())


def scram_matches(stored: str, password: str) -> bool:
    """Whether ``SCRAM-SHA-256$rounds:salt$stored:server`` was made of this password (RFC 5802)."""
    import base64
    import hashlib
    import hmac

    _, parameters, keys = stored.split("$")
    rounds, salt = parameters.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    client = hmac.digest(salted, b"Client Key", "sha256")
    return base64.b64encode(hashlib.sha256(client).digest()).decode() == keys.split(":")[0]


def test_secrets_are_made_once(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    assert make_secrets(secrets, "--database-host", "elsewhere", "--valkey-host", "elsewhere") == []
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o444}


def test_addresses_have_the_passwords_of_their_servers(secrets: Path) -> None:
    def of(name: str) -> str:
        return (secrets / name).read_text().strip()

    assert database_from_url(of("database_url"))["PASSWORD"] == of("postgres_app_password")
    assert database_from_url(of("database_owner_url"))["PASSWORD"] == of("postgres_owner_password")
    assert database_from_url(of("database_url"))["HOST"] == "db.internal"
    assert urlsplit(of("redis_url")).password == of("valkey_password")
    assert len({of(name) for name in ("jwt_keys", "token_keys", "encryption_keys", "secret_key")}) == 4
    assert of("stripe_secret_key") == ""
