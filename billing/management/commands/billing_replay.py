"""``manage.py billing_replay``: act on Stripe's events once more."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from billing.models import StripeEvent
from billing.services.events import event_replay
from platform_site.management.operator import USAGE, OperatorCommand


class Command(OperatorCommand):
    help = (
        "Puts events back into the queue: those named, or all that failed, matched nobody, or were received and not"
        " acted on. An event only makes us look at Stripe, so a replay does no harm. Exit code 2: wrong usage."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", help="ids of events (evt_...)")
        parser.add_argument("--failed", action="store_true", help="all that failed or matched nobody")
        parser.add_argument("--received-before", type=int, metavar="MINUTES", help="all that wait for so long already")

    def run(self, **options: Any) -> dict[str, Any]:
        ids = _chosen(options)
        if not options["dry_run"]:
            for event_id in self.progress(ids, total=len(ids), unit="event"):
                event_replay(event_id=event_id)
        return {"events": ids, "replayed": not options["dry_run"]}

    def text(self, result: dict[str, Any]) -> str:
        return "\n".join(result["events"]) or "Nothing to replay."


def _chosen(options: dict[str, Any]) -> list[str]:
    ids = list(options["ids"])
    missing = sorted(set(ids) - set(StripeEvent.objects.filter(id__in=ids).values_list("id", flat=True)))
    if missing:
        raise CommandError(f"There is no event {missing[0]}.", returncode=USAGE)
    if options["failed"]:
        statuses = [StripeEvent.Status.FAILED, StripeEvent.Status.UNMATCHED]
        ids += StripeEvent.objects.filter(status__in=statuses).values_list("id", flat=True)
    if options["received_before"] is not None:
        before = timezone.now() - timedelta(minutes=options["received_before"])
        waiting = StripeEvent.objects.filter(status=StripeEvent.Status.RECEIVED, received_at__lt=before)
        ids += waiting.values_list("id", flat=True)
    if not ids and not (options["failed"] or options["received_before"] is not None):
        raise CommandError("Name events, or say --failed or --received-before.", returncode=USAGE)
    return list(dict.fromkeys(ids))
