// The set-up hub for trying it out, and what waits for whoever looks. It follows by itself what happens elsewhere.
import { inSection, say, signedIn, startPage } from "./dev_frame.js";
import { ask as askOnce, held } from "./dev_session.js";
import { drawItems, drawProgress, drawTasks } from "./dev_setup_view.js";
import { byId, onClick } from "./forms.js";

const EVERY = 5_000;

const setupSection = byId("progress").closest("section");
const itemsSection = byId("items").closest("section");
let manages = false;
let looking = null;

const ask = (...what) => signedIn(() => askOnce(...what));

async function load() {
  clearInterval(looking);
  looking = setInterval(follow, EVERY);
  await inSection(setupSection, async () => {
    manages = (await ask("GET", "/permissions/me")).data.permissions.includes("setup_hub.manage");
    await lookAtSetup();
  });
  await inSection(itemsSection, lookAtItems);
}

async function lookAtSetup() {
  take((await ask("GET", "/setup-hub")).data);
}

function take(setup) {
  byId("loading").hidden = true;
  byId("acts").hidden = !manages;
  byId("complete").hidden = setup.completedAt !== null;
  drawProgress(setup);
  drawTasks(setup, manages, { set, told: say });
}

async function lookAtItems() {
  drawItems((await ask("GET", "/me/action-items?limit=50")).data, finish);
}

// What happens elsewhere is seen here. A server that does not answer for a moment is no news.
async function follow() {
  if (document.hidden || !held()) return;
  try {
    await lookAtSetup();
    await lookAtItems();
  } catch (error) {
    console.warn("The set-up could not be read.", error);
  }
}

async function set(code, body) {
  await ask("PATCH", `/setup-hub/tasks/${encodeURIComponent(code)}`, body);
  await lookAtSetup();
  // Its buttons are others now: the focus stays with the task.
  byId(`task-${code}`)?.querySelector("h3").focus();
  await inSection(itemsSection, lookAtItems);
}

async function finish(item) {
  await ask("POST", `/me/action-items/${encodeURIComponent(item.id)}/done`);
  await lookAtItems();
  say(`Done: ${item.title}`);
}

onClick(byId("look"), async () => {
  const { changed, errors } = (await ask("POST", "/setup-hub/auto-check")).data;
  await lookAtSetup();
  await inSection(itemsSection, lookAtItems);
  const moved = changed.length === 1 ? "One task has moved." : changed.length ? `${changed.length} tasks have moved.` : "Nothing has changed.";
  say(errors.length ? `${moved} Of these nothing could be found out: ${errors.map(({ code }) => code).join(", ")}.` : moved);
});

onClick(byId("complete"), async () => {
  take((await ask("POST", "/setup-hub/complete")).data);
  await inSection(itemsSection, lookAtItems);
  say("The set-up is complete.");
});

document.addEventListener("visibilitychange", follow);

startPage({
  load,
  stop: () => {
    clearInterval(looking);
    for (const id of ["groups", "items"]) byId(id).replaceChildren();
    for (const id of ["progress", "acts"]) byId(id).hidden = true;
    byId("loading").hidden = false;
    byId("item-counts").textContent = "";
  },
});
