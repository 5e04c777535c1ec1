"""Where everything of one home (VAR_DIR) is: data, sockets, logs and the addresses they give.

Pure computation without side effects.  The supervisor creates what is named here, and Django's
settings read the same names, so that neither has to tell the other.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platform_site.local.postgres_roles import APPLICATION, OWNER

POSTGRES_PORT = 5432
REPOSITORY = Path(__file__).resolve().parents[2]

# Places that survive a reboot come first.  They are short: the path of a unix socket may have
# about 100 bytes only, which a checkout deep in a home directory easily exceeds.
_SOCKET_PLACES = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108  the owner is checked before use


@dataclass(frozen=True)
class Layout:
    var_dir: Path

    def __post_init__(self) -> None:
        # One home has one name, however it was reached: its sockets are found by this name.
        object.__setattr__(self, "var_dir", Path(os.path.realpath(self.var_dir)))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Layout":
        chosen = (os.environ if environ is None else environ).get("VAR_DIR")
        return cls(Path(chosen) if chosen else REPOSITORY / "var")

    @property
    def socket_dir(self) -> Path:
        name = hashlib.sha256(os.fsencode(self.var_dir)).hexdigest()[:16]
        place = next((p for p in _SOCKET_PLACES if p.is_dir()), _SOCKET_PLACES[-1])
        return place / f"platform-{name}"

    @property
    def postgres_data(self) -> Path:
        return self.var_dir / "postgres"

    @property
    def postgres_socket_dir(self) -> Path:
        """A directory of its own, because as root it belongs to the account of the server."""
        return self.socket_dir / "postgres"

    @property
    def database_url(self) -> str:
        """As the role that reads and writes rows."""
        return self._database_url(APPLICATION)

    @property
    def database_owner_url(self) -> str:
        """As the role that makes and changes tables."""
        return self._database_url(OWNER)

    def _database_url(self, role: str) -> str:
        """The port only names the socket, but without it a PGPORT of the caller would count."""
        return f"postgresql://{role}@/platform?host={self.postgres_socket_dir}&port={POSTGRES_PORT}"

    @property
    def valkey_data(self) -> Path:
        return self.var_dir / "valkey"

    @property
    def valkey_socket(self) -> Path:
        return self.socket_dir / "valkey.sock"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.valkey_socket}?db=0"

    @property
    def broker_url(self) -> str:
        """The queue has a database of its own, so that flushing the cache loses no task."""
        return f"redis+socket://{self.valkey_socket}?virtual_host=1"

    @property
    def mail_dir(self) -> Path:
        return self.var_dir / "mail"

    @property
    def smtp_port_file(self) -> Path:
        return self.run_dir / "smtp.port"

    @property
    def smtp_port(self) -> int | None:
        """The port of the mailbox, or None while no mailbox runs."""
        try:
            return int(self.smtp_port_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    @property
    def stripe_dir(self) -> Path:
        """State and secrets of the local Stripe."""
        return self.var_dir / "stripe"

    @property
    def stripe_port_file(self) -> Path:
        return self.run_dir / "stripe.port"

    @property
    def web_port_file(self) -> Path:
        return self.run_dir / "web.port"

    @property
    def web_port(self) -> str | None:
        """The port of the platform that runs, as a variable is told, or None while none does."""
        try:
            return self.web_port_file.read_text().strip() or None
        except FileNotFoundError:
            return None

    @property
    def secrets_file(self) -> Path:
        return self.var_dir / "secrets.env"

    @property
    def run_dir(self) -> Path:
        return self.var_dir / "run"

    @property
    def owner_lock(self) -> Path:
        return self.run_dir / "owner.lock"

    @property
    def log_dir(self) -> Path:
        return self.var_dir / "logs"

    @property
    def schedule_file(self) -> Path:
        """What the scheduler remembers about its last runs."""
        return self.run_dir / "schedule"
