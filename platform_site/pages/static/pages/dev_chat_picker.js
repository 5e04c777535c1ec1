// Whom to talk to: one person is a direct channel, more are a group with a name.
import { ApiError } from "./api.js";
import { face } from "./dev_chat_view.js";
import { button, element } from "./elements.js";
import { byId, onSubmit } from "./forms.js";

const dialog = byId("picker");
let request = null;
let opened = null;
let chosen = new Map();
let asked = 0;
let waiting = null;

export function startPicker(client, done) {
  // Forms know the errors of the pages, and show them beside their fields.
  request = (...what) =>
    client()
      .request(...what)
      .catch((error) => {
        throw new ApiError(error.status, error, error.retryAfter);
      });
  opened = done;
}

export function pick() {
  chosen = new Map();
  byId("picker-form").reset();
  draw();
  dialog.showModal();
  byId("search").focus();
  return find();
}

async function find() {
  const number = ++asked;
  const search = byId("search").value.trim();
  const query = new URLSearchParams({ limit: 20, ...(search && { search }) });
  const { data } = await request("GET", `/chat/users?${query}`).catch((error) => {
    console.warn("People could not be found.", error);
    return { data: [] };
  });
  // An answer that was overtaken is of no use.
  if (number !== asked) return;
  byId("people").replaceChildren(...(data.length ? data.map(person) : [element("li", { className: "note", textContent: "Nobody is called that." })]));
}

function person(one) {
  const box = element("input", { type: "checkbox", checked: chosen.has(one.userId) });
  box.addEventListener("change", () => {
    if (box.checked) chosen.set(one.userId, one);
    else chosen.delete(one.userId);
    draw();
  });
  const name = element("span", {}, element("b", { textContent: one.displayName }), one.email ? element("small", { textContent: one.email }) : null);
  return element("li", {}, element("label", {}, box, face(one, { online: one.online }), name));
}

function draw() {
  const chips = [...chosen.values()].map((one) => {
    const off = button(`${one.displayName} ×`, `Without ${one.displayName}`, () => {
      chosen.delete(one.userId);
      draw();
      find();
    });
    return element("li", {}, off);
  });
  byId("picked").replaceChildren(...chips);
  byId("group-name-field").hidden = chosen.size < 2;
  byId("group-name").required = chosen.size > 1;
  byId("begin").disabled = chosen.size === 0;
  byId("begin").textContent = chosen.size > 1 ? "Create the group" : "Begin";
}

onSubmit(byId("picker-form"), async ({ name }) => {
  const ids = [...chosen.keys()];
  const { data } =
    ids.length === 1
      ? await request("POST", "/chat/channels/direct", { userId: ids[0] })
      : await request("POST", "/chat/channels/group", { name, memberIds: ids });
  dialog.close();
  opened(data);
});
byId("search").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(find, 150);
});
byId("search").addEventListener("keydown", (event) => {
  // Enter takes the first one, and does not send the form.
  if (event.key !== "Enter") return;
  event.preventDefault();
  byId("people").querySelector("input:not(:checked)")?.click();
});
byId("close-picker").addEventListener("click", () => dialog.close());
