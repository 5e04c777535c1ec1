"""Makes the secrets of an installation, one file each, and leaves those alone that are there.

    python3 deploy/make_secrets.py deploy/secrets --database-host postgres --valkey-host valkey

Needs nothing but Python. Both ways of deploying read these files: compose.yaml mounts them, the systemd units
load them. Names are those of the variables, in lower case.
"""

import argparse
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

DATABASE, OWNER, APPLICATION = "platform", "platform_owner", "platform_app"


def word() -> str:
    return secrets.token_urlsafe(32)


def key() -> str:
    """A ring with one key. The id is new with each ring, so that two installations never share one."""
    return f"k{secrets.token_hex(3)}:{word()}"


class Secrets:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.made: list[str] = []

    def of(self, name: str, make: Callable[[], str]) -> str:
        """What the file holds; it is written first when it is not there."""
        path = self.directory / name
        if path.exists():
            return path.read_text(encoding="utf-8").strip()
        value = make()
        # A container reads the file as another account. What protects it is the directory, which only its owner enters.
        path.touch(mode=0o444)
        path.chmod(0o644)
        path.write_text(value + "\n", encoding="utf-8")
        path.chmod(0o444)
        self.made.append(name)
        return value


def make_all(directory: Path, *, database_host: str, valkey_host: str) -> list[str]:
    """Gives the names of those that were made."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    found = Secrets(directory)
    found.of("postgres_password", word)
    owner = found.of("postgres_owner_password", word)
    application = found.of("postgres_app_password", word)
    valkey = found.of("valkey_password", word)

    def database(role: str, password: str) -> str:
        return f"postgresql://{role}:{quote(password, safe='')}@{database_host}:5432/{DATABASE}"

    found.of("database_url", lambda: database(APPLICATION, application))
    found.of("database_owner_url", lambda: database(OWNER, owner))
    found.of("redis_url", lambda: f"redis://:{quote(valkey, safe='')}@{valkey_host}:6379/0")
    found.of("secret_key", lambda: secrets.token_urlsafe(50))
    for ring in ("jwt_keys", "token_keys", "encryption_keys"):
        found.of(ring, key)
    found.of("metrics_token", word)
    # To be filled in by hand: an empty one means what the variable means when it is not set.
    for name in ("email_url", "stripe_secret_key", "stripe_webhook_secrets"):
        found.of(name, str)
    return found.made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--database-host", default="127.0.0.1")
    parser.add_argument("--valkey-host", default="127.0.0.1")
    given = parser.parse_args()
    made = make_all(given.directory, database_host=given.database_host, valkey_host=given.valkey_host)
    print("\n".join(["Made:", *made]) if made else "Everything was there already.")  # noqa: T201 - it talks to a terminal


if __name__ == "__main__":
    main()
