"""The overview: customers, the clock, the last events, and failures on demand."""

import re
from typing import TYPE_CHECKING, Any

from billing.local_stripe import lifecycle, periods
from billing.local_stripe.clock import DAY, HOUR
from billing.local_stripe.errors import Refusal
from billing.local_stripe.faults import Fault
from billing.local_stripe.http import Request, Response, redirect
from billing.local_stripe.objects import portal, subscription_items
from billing.local_stripe.pages.rendering import Renderer, day, moment, money, plan_name, rhythm

if TYPE_CHECKING:
    from billing.local_stripe.server import LocalStripe

Json = dict[str, Any]

_SHOWN_EVENTS = 60
_UNITS = {"minutes": 60, "hours": HOUR, "days": DAY}


class OverviewPages:
    def __init__(self, server: "LocalStripe", renderer: Renderer) -> None:
        self._server = server
        self._world = server.world
        self._renderer = renderer

    def show(self, request: Request) -> Response:
        world = self._world
        with world.store.transaction():
            lifecycle.catch_up(world)
            due = lifecycle.next_due(world)
            values = {
                "customers": [self._customer(each) for each in world.store.all("customer") if not each.get("deleted")],
                "sessions": [
                    self._session(each) for each in world.store.all("checkout.session") if each["status"] == "open"
                ],
                "events": [self._event(each) for each in world.store.all("event")[::-1][:_SHOWN_EVENTS]],
                "endpoints": [
                    {"url": each["url"], "status": each["status"]} for each in world.store.all("webhook_endpoint")
                ],
                "next_due": moment(due),
                "trial_end": moment(self._next_trial_end()),
                "is_moved": world.clock.offset > 0,
                "faults": [_shown_fault(each) for each in self._server.faults.shown()],
            }
        return self._renderer.page("overview.html", values)

    def move_clock(self, request: Request) -> Response:
        form = request.form()
        now = self._world.clock.target()
        move = form.get("move", "")
        if move == "month":
            target: int | None = periods.after(now, "month", 1, 1)
        elif move == "trial":
            target = self._next_trial_end()
        elif move == "amount":
            target = now + self._amount(form)
        else:
            target = now + {"day": DAY, "week": 7 * DAY}.get(move, 0)
        if target is None or target <= now:
            raise Refusal("The clock moves forward only.")
        self._server.advance_to(target)
        return redirect("/")

    def add_fault(self, request: Request) -> Response:
        form = request.form()
        try:
            fault = Fault(
                path=form.get("path", ""),
                times=int(form.get("times") or 1),
                status=int(form["status"]) if form.get("status") else None,
                timing=form.get("timing", "before"),
                delay=float(form.get("delay") or 0),
            )
        except (ValueError, re.error) as error:
            raise Refusal(f"This failure cannot be made: {error}") from None
        self._server.faults.add(fault)
        return redirect("/#faults")

    def clear_faults(self, request: Request) -> Response:
        self._server.faults.clear()
        return redirect("/#faults")

    def resend(self, request: Request, id: str) -> Response:
        with self._world.store.transaction():
            self._server.deliveries.resend(id)
        return redirect("/#events")

    def open_portal(self, request: Request, id: str) -> Response:
        """As the platform does it, and back to here."""
        with self._world.store.transaction():
            session = portal.create_session(self._world, {"customer": id, "return_url": f"{self._world.base_url}/"})
        return redirect(session["url"])

    def _amount(self, form: dict[str, str]) -> int:
        text = form.get("amount", "")
        if not text.isdecimal() or not 1 <= int(text) <= 100_000:
            raise Refusal("The amount must be a number from 1 on.")
        return int(text) * _UNITS.get(form.get("unit", ""), DAY)

    def _next_trial_end(self) -> int | None:
        trials = [each for each in self._world.store.all("subscription") if each["status"] == "trialing"]
        return min((int(each["trial_end"]) for each in trials), default=None)

    def _customer(self, customer: Json) -> Json:
        return {
            "id": customer["id"],
            "name": customer["name"] or customer["email"] or customer["id"],
            "email": customer["email"] or "",
            "subscriptions": [
                self._subscription(each)
                for each in subscription_items.of_customer(self._world, customer["id"])[::-1][:5]
            ],
            "open_invoices": [
                {"id": each["id"], "label": f"{each['number']}, {money(each['amount_remaining'], each['currency'])}"}
                for each in self._world.store.all("invoice")
                if each["customer"] == customer["id"] and each["status"] == "open"
            ],
        }

    def _subscription(self, subscription: Json) -> Json:
        item = subscription["items"]["data"][0]
        price = item["price"]
        if subscription["ended_at"]:
            when = f"ended {day(subscription['ended_at'])}"
        elif subscription["cancel_at"]:
            when = f"ends {day(subscription['cancel_at'])}"
        elif subscription["status"] == "trialing":
            when = f"trial till {day(subscription['trial_end'])}"
        else:
            when = f"period till {day(item['current_period_end'])}"
        return {
            "name": f"{item['quantity']} × {plan_name(self._world, price)} / {rhythm(price)}",
            "status": subscription["status"],
            "label": subscription["status"].replace("_", " "),
            "when": when,
        }

    def _session(self, session: Json) -> Json:
        return {
            "url": session["url"],
            "label": money(session["amount_total"], session["currency"]),
            "expires": moment(session["expires_at"]),
        }

    def _event(self, event: Json) -> Json:
        value = event["data"]["object"]
        deliveries = [
            {
                "state": each["state"],
                "answer": each["answer"],
                "status": "active" if each["state"] == "delivered" else "past_due",
            }
            for each in self._world.store.all("_delivery")
            if each["event"] == event["id"]
        ]
        return {
            "id": event["id"],
            "type": event["type"],
            "object": value.get("id", ""),
            "created": moment(event["created"]),
            "deliveries": deliveries,
        }


def _shown_fault(fault: Json) -> Json:
    answer = (
        f"status {fault['status']}" if fault["status"] else "the answer is lost" if fault["timing"] == "after" else ""
    )
    delay = f"{fault['delay']:g} s late" if fault["delay"] else ""
    return {
        "path": fault["path"] or "every request",
        "what": ", ".join(filter(None, [answer, delay])) or "status 500",
        "timing": fault["timing"],
        "times": str(fault["times"]),
    }
