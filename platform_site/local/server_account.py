"""Under which account a server runs when we are root, and what that account can reach.

PostgreSQL refuses to run as root.  An account that exists is taken; none is ever added, and no
mode of a directory that is not ours is ever widened.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from platform_site.local.problem import LocalProblem


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """None means: as ourselves.  The owner of existing data wins, whoever it is."""
    if os.geteuid() != 0:
        return None
    if data.is_dir() and data.stat().st_uid != 0:
        return _owner_of(data)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise LocalProblem(
        "PostgreSQL does not run as root, and this machine has neither an account `postgres` nor "
        "`nobody`. Start as an ordinary user, or give DATABASE_URL."
    )


def _owner_of(data: Path) -> Account:
    status = data.stat()
    try:
        name = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        name = str(status.st_uid)
    return Account(name, status.st_uid, status.st_gid)


def can_enter(account: Account, directory: Path) -> bool:
    """Ask the kernel in the account's own name: it knows about groups, ACLs and mounts."""
    answer = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(directory)],
        cwd="/",
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        check=False,
        env={},
    )
    return answer.returncode == 0
