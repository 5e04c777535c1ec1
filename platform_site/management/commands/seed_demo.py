"""``manage.py seed_demo``: something to sign in to, on a fresh installation, and demo data of any size."""

from argparse import ArgumentParser
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandError

from accounts.services.passwords import password_hash
from platform_site.binding import bind
from platform_site.management.operator import REFUSED, USAGE, OperatorCommand
from platform_site.management.seeding.filling import Size, counts, fill
from platform_site.management.seeding.sign_ins import ADMIN_PASSWORD, MEMBER_PASSWORD, WORKSPACE, seed
from platform_site.management.seeding.words import chance, company
from tenancy.models import Tenant
from tenancy.registration import tenant_register

SIZES: Final = ("people", "messages", "entities", "events", "notifications")


class Command(OperatorCommand):
    help = (
        "Makes the workspace 'demo' with an administrator and a member, and one staff account. With --tenants and the"
        " sizes of a tenant, demo data instead: the same for the same --seed, and only what is missing of it."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there is any tenant")
        parser.add_argument("--tenants", type=int, help="so many workspaces (1 when a size is given)")
        for name in SIZES:
            parser.add_argument(f"--{name}", type=int, default=0, metavar="N", help="in each of them")
        parser.add_argument("--seed", type=int, default=1, help="another number, other data (default: %(default)s)")
        parser.add_argument(
            "--passwords-known-to-all", action="store_true",
            help="make demo data although DEBUG is off: everybody can read the passwords in the source",
        )  # fmt: skip

    def run(self, **options: Any) -> dict[str, Any]:
        size = Size(**{name: options[name] for name in SIZES})
        if options["tenants"] is None and not size.rows:
            return self._plain(**options)
        tenants = 1 if options["tenants"] is None else options["tenants"]
        self._check(size, tenants, options)
        if options["dry_run"]:
            # Whatever is there already would not be made again.
            told = {name: getattr(size, name) * tenants for name in SIZES}
            return {"tenants": tenants, **told, "workspaces": [], "dryRun": True}
        return self._fill(size, tenants, options["seed"])

    def _plain(self, **options: Any) -> dict[str, Any]:
        there = Tenant.objects.filter(slug=WORKSPACE).exists() or (options["if_empty"] and Tenant.objects.exists())
        if not there and not options["dry_run"]:
            seed()
        return {"seeded": not there, "dryRun": options["dry_run"]}

    def _check(self, size: Size, tenants: int, options: dict[str, Any]) -> None:
        if not (settings.DEBUG or options["passwords_known_to_all"]):
            raise CommandError(
                "Demo data has passwords that everybody knows, and DEBUG is off. If this is no installation that"
                " others can reach: --passwords-known-to-all.",
                returncode=REFUSED,
            )
        if tenants < 1 or any(getattr(size, name) < 0 for name in SIZES):
            raise CommandError("Sizes are numbers of 0 or more, and there is at least one tenant.", returncode=USAGE)
        if size.messages and size.people < 2:
            raise CommandError("--messages needs --people of at least 2.", returncode=USAGE)
        if size.events and not size.entities:
            raise CommandError("--events needs records to be about: say --entities, too.", returncode=USAGE)

    def _fill(self, size: Size, tenants: int, number: int) -> dict[str, Any]:
        hashed, slugs = password_hash(MEMBER_PASSWORD), []
        made = dict.fromkeys(SIZES, 0)
        with self.bar(total=tenants * max(1, size.rows), unit="row") as bar:
            for count in range(1, tenants + 1):
                tenant = _workspace(number, count)
                slugs.append(tenant.slug)
                with bind(tenant.ref):
                    before = counts()
                    for rows in fill(size, seed=number, slug=tenant.slug, password=hashed):
                        bar.update(rows)
                    after = counts()
                made = {name: made[name] + after[name] - before[name] for name in SIZES}
        return {"tenants": tenants, **made, "workspaces": slugs, "dryRun": False}

    def text(self, result: dict[str, Any]) -> str:
        if "seeded" in result:
            if not result["seeded"]:
                return "There is data already; nothing was seeded."
            return f"Seeded workspace '{WORKSPACE}' and the staff account."
        verb = "would be in" if result["dryRun"] else "were added to"
        kinds = ", ".join(f"{result[name]:,} {name}" for name in SIZES)
        lines = [f"{kinds} {verb} {result['tenants']} workspaces."]
        if result["workspaces"]:
            first = result["workspaces"][0]
            lines.append(f"Sign in to {first} as admin@{first}.test with {ADMIN_PASSWORD}.")
        return "\n".join(lines)


def _workspace(seed_number: int, count: int) -> Tenant:
    """One of the workspaces, which is made where there is none."""
    name, slug = company(chance(seed_number, "company", count), count)
    if seed_number != 1:
        slug = f"{slug}-{seed_number}"
    there: Tenant | None = Tenant.objects.filter(slug=slug).first()
    if there is not None:
        return there
    return tenant_register(
        company_name=name,
        slug=slug,
        admin_email=f"admin@{slug}.test",
        admin_password=ADMIN_PASSWORD,
        admin_first_name="Dana",
        admin_last_name="Admin",
    ).tenant
