// Billing for trying it out, as a product's frontend would do it: all of it with the API.
import { inSection, say, signedIn, startPage } from "./dev_frame.js";
import { ask as askOnce } from "./dev_session.js";
import { drawInvoices, drawOffers, drawPreview, drawStatus } from "./dev_billing_view.js";
import { actsOf, day } from "./dev_billing_words.js";
import { element } from "./elements.js";
import { byId, onClick, onSubmit } from "./forms.js";

const statusSection = byId("status").closest("section");
let status = null;
let plans = [];
let invoices = [];
let interval = "monthly";
let chosen = null;

const ask = (...what) => signedIn(() => askOnce(...what));

// -- reading -----------------------------------------------------------------------------------

async function load() {
  const cameBack = new URLSearchParams(location.search).has("session_id");
  if (await inSection(statusSection, () => look(cameBack))) await inSection(byId("invoices"), lookAtInvoices);
}

async function look(cameBack) {
  plans = (await ask("GET", "/billing/plans")).data;
  take((await ask("GET", "/billing/status")).data);
  if (status.plan?.interval) interval = status.plan.interval;
  draw();
  // Stripe's own message may take a moment longer than whoever comes back from paying.
  if (cameBack) await comeBack();
}

async function comeBack() {
  // Whoever loads the page again has not paid again.
  history.replaceState(null, "", location.pathname);
  if (!actsOf(status).sync) return;
  take((await ask("POST", "/billing/sync")).data);
  if (status.plan?.interval) interval = status.plan.interval;
  draw();
  done(actsOf(status).change ? `Thank you. ${status.plan.name} is yours.` : "The payment is not here yet. Refresh in a moment.");
}

async function lookAtInvoices() {
  byId("invoices").hidden = !actsOf(status).invoices;
  if (byId("invoices").hidden) return;
  const found = await ask("GET", "/billing/invoices");
  invoices = found.data;
  drawInvoices(invoices, found.meta.hasMore);
}

function take(found) {
  status = found;
}

function draw() {
  drawStatus(status, plans);
  drawActs();
  drawOffers(status, plans, interval, choose);
}

function done(words) {
  say(words);
  byId("said").focus();
}

// After a change: what it says now, with its invoices.
async function changed(found, words) {
  take(found);
  draw();
  done(words);
  await inSection(byId("invoices"), lookAtInvoices);
}

// -- what can be done --------------------------------------------------------------------------

function drawActs() {
  const acts = actsOf(status);
  const offered = [
    [acts.resume, "Resume", resume],
    [acts.portal, "Manage card and invoices", () => goTo("/billing/portal", { returnPath: "/billing" })],
    [acts.sync, "Refresh from Stripe", sync],
    [acts.cancel, acts.inFreeTrial ? "End the trial…" : acts.resume ? "Cancel now…" : "Cancel…", askToCancel],
  ];
  byId("acts").replaceChildren(
    ...offered
      .filter(([shown]) => shown)
      .map(([, words, work]) => {
        const button = element("button", { type: "button", className: "small", textContent: words });
        onClick(button, work);
        return button;
      }),
  );
}

async function goTo(path, body) {
  const { url } = (await ask("POST", path, body)).data;
  location.assign(url);
  // The page stays busy until the other one is there.
  await new Promise((resolve) => addEventListener("pageshow", resolve, { once: true }));
}

async function sync() {
  await changed((await ask("POST", "/billing/sync")).data, "This is how it stands with Stripe.");
}

async function resume() {
  await changed((await ask("POST", "/billing/resume")).data, "The cancellation is taken back.");
}

async function askToCancel() {
  const acts = actsOf(status);
  byId("cancel-form").reset();
  byId("cancel-title").textContent = acts.inFreeTrial ? "End the trial?" : "Cancel the subscription?";
  byId("really").textContent = acts.inFreeTrial ? "End the trial" : "Cancel the subscription";
  byId("when").hidden = acts.onlyNow;
  byId("only-now").hidden = !acts.onlyNow;
  byId("only-now").textContent = "It ends now. From then on the workspace can only be read.";
  byId("reasons").hidden = acts.inFreeTrial;
  byId("period-ends").textContent = status.period.end ? `On ${day(status.period.end)}. Until then everything works.` : "";
  byId("cancel").showModal();
}

onSubmit(byId("cancel-form"), async ({ mode, feedback, reason }) => {
  const now = actsOf(status).onlyNow || mode === "now";
  const body = { mode: now ? "now" : "period_end", ...(feedback && { feedback }), ...(reason && { reason }) };
  const { data } = await ask("POST", "/billing/cancel", body);
  byId("cancel").close();
  await changed(data, data.cancellation.scheduled ? `It ends on ${day(data.cancellation.effectiveAt)}.` : "It has ended.");
});

// -- plans -------------------------------------------------------------------------------------

function choose(button, plan, seats) {
  chosen = { plan, seats };
  return doing(button, () => (actsOf(status).subscribe ? goTo("/billing/checkout", selection()) : preview()));
}

const selection = () => ({ planId: chosen.plan.id, interval, ...(chosen.seats !== null && { quantity: chosen.seats }) });

async function doing(button, work) {
  const words = button.textContent;
  button.disabled = true;
  button.textContent = "One moment…";
  byId("plans").querySelector(".alert").hidden = true;
  await inSection(byId("plans"), work);
  button.disabled = false;
  button.textContent = words;
}

async function preview() {
  const { data } = await ask("POST", "/billing/change-plan", { ...selection(), preview: true });
  byId("change-title").textContent = chosen.plan.id === status.plan.id ? `Change ${chosen.plan.name}?` : `Change to ${chosen.plan.name}?`;
  byId("change-form").querySelector(".alert").hidden = true;
  drawPreview(chosen.plan, interval, chosen.seats, data);
  byId("change").showModal();
}

onSubmit(byId("change-form"), async () => {
  const { data } = await ask("POST", "/billing/change-plan", selection());
  byId("change").close();
  const later = data.status.pendingChange;
  await changed(data.status, later ? `It changes on ${day(later.effectiveAt)}.` : "It is changed.");
});

for (const one of document.querySelectorAll("[data-interval]")) {
  one.addEventListener("click", () => {
    interval = one.dataset.interval;
    drawOffers(status, plans, interval, choose);
  });
}

onClick(byId("older-invoices"), async () => {
  const found = await ask("GET", `/billing/invoices?startingAfter=${encodeURIComponent(invoices.at(-1).id)}`);
  invoices = [...invoices, ...found.data];
  drawInvoices(invoices, found.meta.hasMore);
});

// Somebody who comes back with the browser's own button finds the page as it was left, not as things are.
addEventListener("pageshow", (event) => event.persisted && status && load());

startPage({
  load,
  stop: () => {
    status = null;
    for (const id of ["status", "acts", "offers", "invoice-list"]) byId(id).replaceChildren();
    for (const id of ["plans", "invoices"]) byId(id).hidden = true;
    byId("loading").hidden = false;
  },
});
