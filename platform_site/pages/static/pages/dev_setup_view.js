// Elements of the set-up page. They stay where nothing about them changed, because the page follows what happens.
import { element, reconcile } from "./elements.js";
import { byId, onClick } from "./forms.js";

const STATES = {
  pending: ["", "to do"],
  in_progress: ["degraded", "begun"],
  completed: ["up", "done"],
  skipped: ["", "skipped"],
};
const CATEGORIES = { account: "Account", billing: "Billing", company: "Company", data: "Data", email: "E‑mail", team: "Team" };
// Pages that there are without a frontend. Others are the product's.
const PAGES = { "/account": "/account", "/billing": "/dev/billing", "/chat": "/dev/chat", "/setup": "/dev/setup" };
const PRIORITIES = { urgent: ["down", "urgent"], high: ["degraded", "important"] };

const day = (moment) => new Date(moment).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" });
const sentence = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");

function tag([colour, words]) {
  return element("span", { className: "tag", textContent: words, dataset: colour ? { status: colour } : {} });
}

function text(node, words) {
  // A status that says the same again would be read out again.
  if (node.textContent !== words) node.textContent = words;
}

export function drawProgress({ status, progress, completedAt, completedBy, canComplete, nextTask, tasks }) {
  byId("progress").hidden = false;
  text(byId("percent"), `${progress.percent} %`);
  byId("bar").value = progress.percent;
  const skipped = progress.skipped ? `, ${progress.skipped} skipped` : "";
  text(byId("counted"), `${progress.completed} of ${progress.total} tasks done${skipped}`);
  const next = tasks.find((one) => one.code === nextTask);
  const ended = completedAt && `Completed on ${day(completedAt)}${completedBy ? ` by ${completedBy.displayName}` : ""}.`;
  const left = progress.requiredRemaining === 1 ? "One required task is left." : progress.requiredRemaining ? `${progress.requiredRemaining} required tasks are left.` : "All that is required is done.";
  text(byId("next"), [ended || left, next && `Next: ${next.title}.`].filter(Boolean).join(" "));
  byId("complete").disabled = !canComplete;
  byId("bar").dataset.status = status;
}

// ``acts.set(code, body)`` changes a task, ``acts.told(words)`` says what came of it.
export function drawTasks({ tasks }, manages, acts) {
  const names = new Map(tasks.map((one) => [one.code, one.title]));
  const groups = Map.groupBy(tasks, (one) => one.category);
  reconcile(byId("groups"), [...groups.keys()].map((name) => [name, name, name]), group);
  for (const [name, members] of groups) {
    const list = byId(`tasks-${name}`);
    const items = members.map((one) => [one.code, JSON.stringify([{ ...one, lastCheckedAt: null }, manages]), one]);
    reconcile(list, items, (one) => task(one, names, manages, acts));
  }
}

function group(name) {
  const title = element("h2", { id: `group-${name}`, textContent: CATEGORIES[name] ?? sentence(name) });
  const made = element("section", { className: "panel form" }, title, element("ol", { className: "tasks", id: `tasks-${name}` }));
  made.setAttribute("aria-labelledby", title.id);
  return made;
}

function task(one, names, manages, acts) {
  const made = element(
    "li",
    { id: `task-${one.code}` },
    element("h3", { tabIndex: -1 }, one.title, tag(STATES[one.status] ?? ["", one.status]), one.required ? null : tag(["", "optional"])),
    element("p", { textContent: one.description }),
    element("p", { className: "note", textContent: about(one) }),
    one.blockedBy.length ? element("p", { className: "note", textContent: `Blocked by: ${one.blockedBy.map((code) => names.get(code) ?? code).join(", ")}` }) : null,
    one.reason ? element("p", { className: "note", textContent: `“${one.reason}”` }) : null,
  );
  const row = manages ? buttons(one, acts) : null;
  if (row) made.append(row);
  return made;
}

function about({ estimateMinutes, detail, status, source, completedAt, completedBy }) {
  const over = status === "completed" || status === "skipped";
  const who = completedBy ? `by ${completedBy.displayName}` : source === "auto" ? "seen from the data" : "";
  return [
    over ? [`${status === "completed" ? "Done" : "Skipped"}${completedAt ? ` on ${day(completedAt)}` : ""}`, who].filter(Boolean).join(", ") : `About ${estimateMinutes} min`,
    detail,
  ].filter(Boolean).join(" · ");
}

// A section of their own, so that what goes wrong stands beside them.
function buttons(one, { set, told }) {
  const row = element("p", { className: "row" });
  const alert = element("p", { className: "alert", tabIndex: -1, hidden: true });
  alert.setAttribute("role", "alert");
  const made = element("section", {}, row, alert);
  made.setAttribute("aria-label", one.title);
  const offer = (words, work) => {
    const button = element("button", { type: "button", className: "small", textContent: words });
    onClick(button, work);
    row.append(button);
  };
  const over = one.status === "completed" || one.status === "skipped";
  const move = (body, words) => async () => {
    await set(one.code, body);
    told(`${one.title}: ${words}`);
  };
  const page = PAGES[one.actionUrl];
  if (page && !over) row.append(element("a", { className: "small", href: page, textContent: "Go there" }));
  if (over) {
    offer("Open again", move({ status: "pending" }, "to do again."));
    return made;
  }
  if (!one.blockedBy.length) offer("Mark done", () => complete(one, move, offer));
  if (!one.required) offer("Skip", move({ status: "skipped" }, "skipped."));
  return made;
}

// The data may say that it is not done. Whoever knows better says so twice.
async function complete(one, move, offer) {
  try {
    await move({ status: "completed" }, "done.")();
  } catch (error) {
    if (error.code === "check_failed" && !one.insisted) {
      one.insisted = true;
      offer("It is done all the same", move({ status: "completed", force: true }, "done."));
    }
    throw error;
  }
}

// ``finish(item)`` says that an item of a module's is done.
export function drawItems({ overdue, dueSoon, tasks, counts, partial, errors }, finish) {
  const parts = [`${counts.total} in all`, counts.overdue && `${counts.overdue} overdue`, counts.dueSoon && `${counts.dueSoon} due soon`];
  const missing = partial ? ` Not all could be asked: ${errors.join(", ")}.` : "";
  text(byId("item-counts"), counts.total ? `${parts.filter(Boolean).join(", ")}.${missing}` : `Nothing waits for you.${missing}`);
  const groups = [
    ["overdue", "Overdue", overdue, counts.overdue],
    ["soon", "Due soon", dueSoon, counts.dueSoon],
    ["others", "Others", tasks, counts.total - counts.overdue - counts.dueSoon],
  ].filter(([, , , count]) => count);
  reconcile(byId("items"), groups.map(([id, title, , count]) => [id, `${count}`, { id, title, count }]), heap);
  for (const [id, , items] of groups) {
    reconcile(byId(`items-${id}`), items.map((one) => [one.id, JSON.stringify(one), one]), (one) => item(one, finish));
  }
}

function heap({ id, title, count }) {
  const heading = element("h3", { id: `heap-${id}`, textContent: `${title} (${count})` });
  const list = element("ul", { className: "rows", id: `items-${id}` });
  list.setAttribute("aria-labelledby", heading.id);
  return element("div", {}, heading, list);
}

function item(one, finish) {
  const page = one.url && (PAGES[one.url] ?? (/^https?:/.test(one.url) ? one.url : ""));
  const title = page ? element("a", { href: page, textContent: one.title }) : one.title;
  const made = element("li", {}, element("b", {}, title));
  const facts = element("p", { className: "note" });
  if (PRIORITIES[one.priority]) facts.append(tag(PRIORITIES[one.priority]), " ");
  if (one.dueAt) facts.append(element("span", { className: one.state === "overdue" ? "bad" : "", textContent: `due ${day(one.dueAt)}` }), " · ");
  facts.append(sentence(one.app));
  made.append(facts);
  if (one.source === "tasks") {
    const button = element("button", { type: "button", className: "small", textContent: "Done" });
    button.setAttribute("aria-label", `Done: ${one.title}`);
    onClick(button, () => finish(one));
    made.append(button);
  }
  return made;
}
