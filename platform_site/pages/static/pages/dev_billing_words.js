// Billing in words: what a status means, what it costs, and what happens next. Nothing here touches the page.

const STATES = {
  trialing: ["up", "Trial"],
  active: ["up", "Paid"],
  past_due: ["down", "Payment is overdue"],
  unpaid: ["down", "Not paid"],
  paused: ["degraded", "Paused"],
  canceled: ["down", "Cancelled"],
  incomplete: ["degraded", "First payment is open"],
  comped: ["up", "Free of charge"],
  none: ["degraded", "No plan"],
};
const ACCESS = {
  full: "Everything works.",
  read_only: "Read only: everything can be seen, nothing changed.",
  blocked: "Closed: only signing in, billing and export work.",
};
const REASONS = {
  trial_expired: "The trial is over.",
  payment_past_due: "A payment is overdue.",
  subscription_canceled: "The subscription has ended.",
  subscription_required: "There is no subscription that is paid for.",
};
const INVOICES = {
  draft: ["degraded", "draft"],
  open: ["down", "to be paid"],
  paid: ["up", "paid"],
  uncollectible: ["down", "given up"],
  void: ["", "void"],
};
const INTERVALS = { monthly: "month", yearly: "year" };
// Of these a plan can be changed, and of these no second subscription can be bought.
const CHANGEABLE = new Set(["active", "trialing", "past_due"]);
const BLOCKING = new Set([...CHANGEABLE, "paused"]);
const LIVE = new Set([...BLOCKING, "unpaid", "incomplete"]);
const OWES = new Set(["past_due", "unpaid", "incomplete"]);

export const day = (moment) => new Date(moment).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" });

// Amounts come in the smallest unit, of which the currency says how many make one.
export function money(amount, currency) {
  const format = new Intl.NumberFormat([], { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

export const per = (interval) => INTERVALS[interval] ?? interval;
export const plain = (name) => name.replaceAll("_", " ");
export const invoiceState = (status) => INVOICES[status] ?? ["", status ?? "unknown"];
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

export function stateOf({ status, cancellation }) {
  const [colour, words] = STATES[status] ?? ["", plain(status)];
  return cancellation.scheduled && colour === "up" ? ["degraded", `${words}, until ${day(cancellation.effectiveAt)}`] : [colour, words];
}

export function accessOf({ access, accessReason }) {
  return [ACCESS[access] ?? plain(access), accessReason && (REASONS[accessReason] ?? plain(accessReason))].filter(Boolean).join(" ");
}

export function seatsOf({ mode, purchased, used, pending, available, overBy }) {
  const invited = pending ? `, ${pending} of them invited` : "";
  if (mode === "unlimited") return `${used} used${invited}, as many as you like`;
  const left = overBy ? `${count(overBy, "seat")} too few` : `${available} free`;
  return purchased === null ? `${used} used${invited}` : `${used} of ${purchased} used${invited}; ${left}`;
}

export function trialOf({ active, endsAt, daysLeft }) {
  if (!endsAt) return "";
  return active ? `${count(daysLeft, "day")} left, until ${day(endsAt)}` : `ended on ${day(endsAt)}`;
}

export function planOf({ plan, seats }) {
  if (!plan) return "";
  const price = plan.unitAmount === null ? "" : `, ${money(plan.unitAmount, plan.currency)}${seats.mode === "per_seat" ? " a seat" : ""}`;
  return plan.interval ? `${plan.name}, ${plan.interval}${price}` : plan.name;
}

export function pendingOf({ pendingChange }, plans) {
  if (!pendingChange) return "";
  const { planId, interval, quantity, effectiveAt } = pendingChange;
  const name = plans.find((one) => one.id === planId)?.name ?? planId;
  const what = [name, interval, quantity > 1 && count(quantity, "seat")].filter(Boolean).join(", ");
  return effectiveAt ? `${what}, from ${day(effectiveAt)}` : what;
}

// What comes, if nobody does anything.
export function nextOf(status) {
  const { stripeStatus, trial, period, cancellation, payment, canManage } = status;
  if (status.status === "comped") return "Nothing has to be paid.";
  if (cancellation.scheduled) return `The subscription ends on ${day(cancellation.effectiveAt)}. After that the workspace can only be read.`;
  switch (stripeStatus) {
    case "trialing":
      if (canManage && !trial.hasPaymentMethod) return `On ${day(period.end)} the trial ends. There is no card yet: without one the subscription pauses then.`;
      return period.end ? `On ${day(period.end)} the trial ends and the first payment is taken.` : "";
    case "active":
      return period.end ? `It renews on ${day(period.end)}.` : "";
    case "past_due":
      return [
        payment.nextAttemptAt && `The card is tried again on ${day(payment.nextAttemptAt)}.`,
        payment.graceEndsAt && status.access === "full" && `Until ${day(payment.graceEndsAt)} everything goes on as before.`,
        "Another card, or paying the open invoice, mends it.",
      ].filter(Boolean).join(" ");
    case "unpaid":
      return "The card is not tried any more. Pay the open invoice, or choose a plan again.";
    case "paused":
      return "The trial ended without a card. Add one, and it goes on.";
    case "incomplete":
      return "The first payment did not come in yet.";
    case "canceled":
      return "Choose a plan to go on.";
    default:
      if (trial.active) return `On ${day(trial.endsAt)} the trial ends. Choose a plan by then, and nothing stops.`;
      return "Choose a plan to go on.";
  }
}

// What somebody who may buy can do about a status.
export function actsOf(status) {
  const { stripeStatus, cancellation, trial } = status;
  const may = status.canManage && status.configured;
  const live = LIVE.has(stripeStatus);
  const inFreeTrial = !stripeStatus && trial.active && status.status === "trialing";
  return {
    subscribe: may && status.status !== "comped" && !BLOCKING.has(stripeStatus),
    change: may && CHANGEABLE.has(stripeStatus),
    portal: may && Boolean(stripeStatus),
    cancel: may && (live || inFreeTrial),
    onlyNow: OWES.has(stripeStatus) || inFreeTrial || cancellation.scheduled,
    resume: may && cancellation.canResume,
    sync: may,
    invoices: may && Boolean(stripeStatus),
    inFreeTrial,
  };
}
