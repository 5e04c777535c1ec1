"""``manage.py rotate_secrets``: replacing the platform's keys without signing anybody out."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError

from platform_site.binding import TenantRef
from platform_site.derived_values import derived_values
from platform_site.local import secrets
from platform_site.local.owner_lock import OwnerLock
from platform_site.management.operator import PROBLEMS, USAGE, OperatorCommand
from platform_site.rotation import rings
from platform_site.rotation.counting import count_uses
from platform_site.rotation.finishing import what_needs_the_old_key
from platform_site.rotation.moving import move_all
from platform_site.rotation.rings import DJANGO, ENCRYPTION, JWT, NAMES, TOKEN, RotationRefused

# What nothing stored tells about.
_BY_TIME = {
    JWT: "Access tokens are not stored. Drop the old key ACCESS_TOKEN_SECONDS after every process was restarted.",
    TOKEN: "Links in mails that were sent before, such as those to unsubscribe, end with the old key.",
    DJANGO: "Cookies of known devices are not stored. Those signed with the old key are forgotten.",
    ENCRYPTION: "",
}


class Command(OperatorCommand):
    help = (
        "Replaces keys: --status counts what is stored under which key; --new makes a key for a ring and prints the"
        " ring; --reseal writes everything that is stored under an older key anew under the first one; --finish"
        " prints the ring without the old key, unless something still needs it. --reseal may be killed and run"
        " again, while the platform runs. Exit code 1: refused. 2: --reseal met values that no key of the ring opens."
    )
    writes = True
    refusals = (RotationRefused,)

    def options(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--status", action="store_true", help="count what is stored under which key")
        what.add_argument("--new", metavar="RING", choices=NAMES, help=f"make a key for one of {', '.join(NAMES)}")
        what.add_argument("--reseal", action="store_true", help="write anew what is under an older key")
        what.add_argument("--finish", metavar="RING", choices=NAMES, help="print the ring without the old key")
        parser.add_argument(
            "--write",
            action="store_true",
            help="with --new and --finish: write it into VAR_DIR/secrets.env, for the servers of `make run`",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        if options["write"] and not (options["new"] or options["finish"]):
            raise CommandError("--write goes with --new and --finish.", returncode=USAGE)
        if options["new"]:
            return self._new(options["new"], **options)
        if options["finish"]:
            return self._finish(options["finish"], **options)
        return self._status() if options["status"] or options["dry_run"] else self._reseal()

    def _status(self) -> dict[str, Any]:
        by_ring = count_uses(self._watched).by_ring
        return {
            "rings": {
                ring: {"keys": rings.key_ids(ring), "values": {what: dict(by) for what, by in counted.items()}}
                for ring, counted in by_ring.items()
            }
        }

    def _new(self, name: str, *, write: bool, dry_run: bool, **_: Any) -> dict[str, Any]:
        new = rings.with_new_key(name)
        if write:
            self._write(new.first, dry_run=dry_run)
        return {"ring": name, "kid": new.kid, "known": new.known, "first": new.first, "written": write and not dry_run}

    def _finish(self, name: str, *, write: bool, dry_run: bool, **_: Any) -> dict[str, Any]:
        variables = rings.without_old_key(name)
        needed = what_needs_the_old_key(name, self._watched)
        if needed:
            told = ", ".join(f"{number} of {what}" for what, number in sorted(needed.items()))
            raise RotationRefused(
                f"{name}: the key {rings.key_ids(name)[-1]} is still needed by {told}. {_way_out(name, needed)}"
            )
        if write:
            self._write(variables, dry_run=dry_run)
        return {"ring": name, "without": variables, "note": _BY_TIME[name], "written": write and not dry_run}

    def _reseal(self) -> dict[str, Any]:
        try:
            moved = move_all(self._watched)
        except OperationalError as error:
            kind = type(error.__cause__).__name__
            raise RotationRefused(f"Stopped ({kind}). What was done stays done; run it again.") from error
        return {
            "resealed": dict(moved.sealed),
            "renewed": dict(moved.renewed),
            "unreadable": moved.unreadable_count,
            "unreadableRows": [asdict(one) for one in moved.unreadable],
        }

    def _watched(self, tenants: Iterator[TenantRef]) -> Iterator[TenantRef]:
        return self.progress(tenants, unit="tenant")

    def _write(self, variables: Mapping[str, str], *, dry_run: bool) -> None:
        """Into the file of an embedded installation, which is read when its processes start."""
        path, layout = settings.LAYOUT.secrets_file, settings.LAYOUT
        if not settings.EMBEDDED_DATABASE:
            raise RotationRefused("There is no secrets.env here: the environment holds the keys. Set them there.")
        kept = secrets.load(path)
        for name in variables:
            if os.environ.get(name, "") != kept.get(name, ""):
                raise RotationRefused(f"{name} comes from the environment, not from {path}. Change it there.")
        lock = OwnerLock(layout.owner_lock)
        # What runs keeps the keys it was started with and could not read what is sealed with a new one. A starter
        # of this command alone holds the lock too, and runs nothing else.
        if lock.is_taken() and lock.owner() != os.getppid():
            raise RotationRefused("The platform runs. Stop `make run`, write, and start it again.")
        if not dry_run:
            secrets.change(path, variables)

    def exit_code(self, result: Any) -> int:
        return PROBLEMS if result.get("unreadable") else 0

    def text(self, result: Any) -> str:
        if "rings" in result:
            return "\n".join(_status_lines(result["rings"]))
        if "kid" in result:
            return "\n".join(_new_lines(result))
        if "without" in result:
            return "\n".join(_finish_lines(result))
        return "\n".join(_reseal_lines(result))


def _way_out(name: str, needed: Mapping[str, int]) -> str:
    """What to do about what is still under the old key."""
    if name == DJANGO:
        return f"These end by themselves within {settings.SESSION_COOKIE_AGE // 3600} hours."
    ends = {value.key: value.ends_after() for value in derived_values if value.ends_after is not None}
    waiting = [ends[what] for what in needed if what in ends]
    words = ["`rotate_secrets --reseal` moves what can be moved."] if len(waiting) < len(needed) else []
    if waiting:
        words.append(f"Sessions and links move when they are used, or end within {max(waiting) / 86_400:.0f} days.")
    return " ".join(words)


def _status_lines(by_ring: Mapping[str, Any]) -> Iterator[str]:
    for ring, found in by_ring.items():
        first, *others = found["keys"]
        yield f"{ring}: {first} makes new values" + "".join(f", {kid} is still accepted" for kid in others)
        for what, by_key in found["values"].items():
            told = ", ".join(f"{number} under {kid or 'no key of the ring'}" for kid, number in by_key.items())
            yield f"  {what:<28} {told or 'nothing'}"


def _new_lines(result: Mapping[str, Any]) -> Iterator[str]:
    if result["written"]:
        yield f"{result['ring']} has a new key. Start the platform, then run `rotate_secrets --reseal`."
        return
    yield "# 1. Every process learns the new key. Set this, and restart all of them:"
    yield from (f"{name}={value}" for name, value in result["known"].items())
    yield "# 2. The new key makes new values. Set this, restart all of them, then run `rotate_secrets --reseal`:"
    yield from (f"{name}={value}" for name, value in result["first"].items())


def _finish_lines(result: Mapping[str, Any]) -> Iterator[str]:
    if result["note"]:
        yield f"# {result['note']}"
    if result["written"]:
        yield f"{result['ring']} has one key now. Start the platform."
        return
    yield "# Nothing stored needs the old key. Set this, and restart every process:"
    yield from (f"{name}={value}" for name, value in result["without"].items())


def _reseal_lines(result: Mapping[str, Any]) -> Iterator[str]:
    counted = {**result["resealed"], **result["renewed"]}
    yield from (f"{number} of {what} written anew" for what, number in counted.items() if number)
    if not any(counted.values()):
        yield "Everything is under the first key of its ring."
    for row in result["unreadableRows"]:
        yield f"no key opens {row['what']} {row['row']}" + (f" of {row['tenant']}" if row["tenant"] else "")
    if result["unreadable"]:
        yield f"{result['unreadable']} values cannot be read. They were lost before; SECURITY.md says what that costs."
