// Elements of the billing page.
import { accessOf, actsOf, day, invoiceState, money, nextOf, pendingOf, per, plain, planOf, seatsOf, stateOf, trialOf } from "./dev_billing_words.js";
import { element } from "./elements.js";
import { byId } from "./forms.js";

export function tag([colour, words]) {
  return element("span", { className: "tag", textContent: words, dataset: colour ? { status: colour } : {} });
}

export function facts(pairs) {
  return pairs.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", {}, value)]);
}

export function drawStatus(status, plans) {
  byId("loading").hidden = true;
  if (!status.configured) {
    byId("status").replaceChildren(element("p", { textContent: "Billing is not set up here: nothing is sold, and nothing stops." }));
    return;
  }
  const { payment, period, trial } = status;
  const subscribed = Boolean(status.stripeStatus);
  byId("status").replaceChildren(
    element("p", { className: "state" }, planOf(status), tag(stateOf(status))),
    element("p", { className: "next", textContent: nextOf(status) }),
    element(
      "dl",
      { className: "facts" },
      ...facts([
        ["Trial", (trial.active || !subscribed) && trialOf(trial)],
        ["Seats", seatsOf(status.seats)],
        ["Access", accessOf(status)],
        ["Period", period.start && status.status !== "canceled" && `${day(period.start)} to ${day(period.end)}`],
        ["Card", status.canManage && subscribed && (payment.last4 ? `•••• ${payment.last4}` : "none yet")],
        ["Overdue", payment.pastDueSince && `since ${day(payment.pastDueSince)}`],
        ["Open invoice", payment.invoiceUrl && outside(payment.invoiceUrl, "See and pay it")],
        ["Will change to", pendingOf(status, plans)],
        ["Attention", status.duplicate && "There is a second subscription, which is charged as well. End it in the portal."],
      ]),
    ),
    ...(status.canManage ? [] : [element("p", { className: "note", textContent: "Only those who may buy can change any of this." })]),
  );
}

// Its address is Stripe's: the window that is left behind stays where it is.
const outside = (address, words) => element("a", { href: address, textContent: words, target: "_blank", rel: "noopener noreferrer" });

// ``choose`` is called with a plan and the number of seats, or null where seats are not counted.
export function drawOffers(status, plans, interval, choose) {
  const acts = actsOf(status);
  byId("plans").hidden = !(acts.subscribe || acts.change);
  for (const one of document.querySelectorAll("[data-interval]")) one.setAttribute("aria-pressed", one.dataset.interval === interval);
  byId("offers").replaceChildren(...plans.map((plan) => offer(status, acts, plan, interval, choose)));
}

function offer(status, acts, plan, interval, choose) {
  const present = acts.change && status.plan.id === plan.id && status.plan.interval === interval;
  const made = element("article", { className: present ? "offer present" : "offer" });
  const title = element("h3", { id: `plan-${plan.id}` }, plan.name, present ? tag(["up", "yours"]) : null);
  made.setAttribute("aria-labelledby", title.id);
  made.append(title, price(plan, interval), element("p", { className: "note", textContent: plan.description }), gives(plan));
  if (plan.prices[interval] === undefined) return made;
  const seats = plan.seats.mode === "per_seat" ? seatsField(status, plan, present) : null;
  if (seats) made.append(seats);
  // The only thing to change about the present plan is its seats.
  if (present && !seats) return made;
  const words = acts.subscribe ? `Subscribe to ${plan.name}` : present ? "Change seats" : `Change to ${plan.name}`;
  const button = element("button", { type: "button", className: "primary", textContent: words });
  button.addEventListener("click", () => {
    const field = seats?.querySelector("input");
    if (!field || isWhole(field)) choose(button, plan, field ? field.valueAsNumber : null);
  });
  made.append(button);
  return made;
}

function price(plan, interval) {
  const amount = plan.prices[interval];
  if (!plan.purchasable) return element("p", { className: "price", textContent: "Ask us" });
  if (amount === undefined) return element("p", { className: "price" }, element("small", { textContent: `Not sold by the ${per(interval)}.` }));
  const unit = plan.seats.mode === "per_seat" ? `a seat and ${per(interval)}` : `a ${per(interval)}`;
  return element("p", { className: "price" }, money(amount, plan.currency), " ", element("small", { textContent: unit }));
}

function gives({ seats, features, limits }) {
  const people = { per_seat: "as many people as you buy seats for", unlimited: "as many people as you like", included: `up to ${seats.included} people` }[seats.mode];
  const bounds = Object.entries(limits).map(([name, most]) => `up to ${most.toLocaleString()} ${plain(name)}`);
  return element("ul", {}, ...[people, ...bounds, ...features.map(plain)].map((words) => element("li", { textContent: words })));
}

function seatsField(status, plan, present) {
  const id = `seats-${plan.id}`;
  const least = Math.max(plan.seats.min, status.seats.used);
  const field = element("input", { id, type: "number", min: least, max: plan.seats.max, step: 1, required: true, autocomplete: "off" });
  field.value = present ? status.seats.purchased : least;
  field.setAttribute("aria-describedby", `${id}-wrong`);
  const wrong = element("p", { id: `${id}-wrong`, className: "wrong", hidden: true });
  wrong.setAttribute("aria-live", "polite");
  return element("div", { className: "field" }, element("label", { htmlFor: id, textContent: `Seats of ${plan.name}` }), field, wrong);
}

function isWhole(field) {
  const fine = field.checkValidity();
  const wrong = byId(`${field.id}-wrong`);
  wrong.textContent = fine ? "" : `From ${field.min} to ${field.max} seats.`;
  wrong.hidden = fine;
  field.toggleAttribute("aria-invalid", !fine);
  if (!fine) field.focus();
  return fine;
}

export function drawInvoices(invoices, hasMore) {
  byId("no-invoices").hidden = invoices.length > 0;
  byId("more-invoices").hidden = !hasMore;
  byId("invoice-list").replaceChildren(...invoices.map(invoice));
}

function invoice({ number, status, amountDue, currency, createdAt, url }) {
  const name = number ?? "Draft";
  return element(
    "li",
    {},
    element("span", {}, url ? outside(url, name) : name, " ", element("span", { className: "note", textContent: day(createdAt) })),
    element("span", { className: "end" }, money(amountDue, currency), tag(invoiceState(status))),
  );
}

export function drawPreview(plan, interval, seats, { amountDue, currency, effectiveAt }) {
  const now = new Date(effectiveAt) - Date.now() < 60_000;
  byId("preview").replaceChildren(
    ...facts([
      ["Plan", `${plan.name}, ${interval}${seats ? `, ${seats} ${seats === 1 ? "seat" : "seats"}` : ""}`],
      ["From", now ? "now" : day(effectiveAt)],
      ["To pay now", amountDue > 0 ? money(amountDue, currency) : "nothing"],
    ]),
  );
}
