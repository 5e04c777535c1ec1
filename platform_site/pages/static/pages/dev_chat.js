// Chat for trying it out: two windows are two people. What keeps it whole is the client of the socket, used as it is.
import { CoreRealtime } from "../clients/core-realtime.js";
import { held, signOut, token } from "./dev_session.js";
import { showSignIn as showPanel, startSignIn } from "./dev_sign_in.js";
import { element } from "./elements.js";
import { byId } from "./forms.js";
import { pick, startPicker } from "./dev_chat_picker.js";
import { Store } from "./dev_chat_store.js";
import { drawChannels, drawHead, drawMessages, drawTyping } from "./dev_chat_view.js";

const STATES = { connecting: ["degraded", "Connecting…"], ready: ["up", "Live"], waiting: ["down", "Not connected"], stopped: ["down", "Stopped"] };
const ENDS = {
  4500: "The server does not understand this page.",
  4501: "Signing in took too long.",
  4503: "Your session has ended. Please sign in again.",
  4504: "Too many windows are open.",
  4507: "This workspace is suspended.",
};
const AT_THE_END = 48;

const pane = byId("messages");
const composer = byId("composer");
const content = byId("content");
let client = null;
let store = null;
let editing = null;
let countdown = null;
let loadingOlder = false;
let atEnd = true;
let unseen = 0;

// -- who it is -------------------------------------------------------------------------------

function showSignIn(words = "") {
  client?.close();
  client = store = null;
  document.body.className = "narrow";
  for (const id of ["chat", "tools", "banner"]) byId(id).hidden = true;
  byId("me").open = false;
  showPanel(words);
  document.title = document.title.replace(/^\(\d+\) /, "");
}

byId("sign-out").addEventListener("click", async () => {
  showSignIn("You are signed out.");
  await signOut();
});

function begin() {
  const { user } = held();
  document.body.className = "chatting";
  byId("sign-in").hidden = true;
  for (const id of ["chat", "tools"]) byId(id).hidden = false;
  byId("my-name").textContent = user.displayName;
  byId("my-address").textContent = user.email;
  byId("me").querySelector("summary").textContent = [...user.displayName][0].toUpperCase();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  client = new CoreRealtime({ url: `${scheme}://${location.host}/ws/v1`, apiBase: `${location.origin}/api/v1`, getToken: token });
  store = new Store(client, user, changed);
  listen(client, store);
  drawChannels(store, open);
  drawOpen();
  client.connect();
}

function listen(from, to) {
  const safely = (work) => work.catch((error) => fail(error));
  from.on("state", (event) => {
    showState(event);
    if (event.state === "ready") safely(to.loadChannels());
  });
  from.on("message", ({ channelId, message }) => {
    if (!atEnd && channelId === to.open) unseen += 1;
    to.message(channelId, message);
  });
  from.on("change", ({ channelId, message }) => to.change(channelId, message));
  from.on("channel", ({ kind, channelId, data }) => to.channelEvent(kind, channelId, data));
  from.on("read", ({ channelId, userId, seq, data }) => to.readEvent(channelId, userId, seq, data));
  from.on("typing", ({ channelId, userId }) => to.typingEvent(channelId, userId));
  from.on("presence", ({ userId, online }) => to.presenceEvent(userId, online));
  from.on("counts", (counts) => to.countsEvent(counts));
  from.on("refresh", ({ channelId }) => safely(to.loadAgain(channelId)));
  from.on("notification", () => byId("inbox").open && safely(drawInbox()));
}

function fail(error) {
  if (error.status === 401) showSignIn(ENDS[4503]);
  // The socket says when the server is back, and then everything is asked again.
  else if (error.status !== 0) console.warn("A request was refused.", error);
}

// -- the connection --------------------------------------------------------------------------

function showState({ state, code, delay, reason }) {
  const [status, words] = STATES[state];
  byId("connection").dataset.status = status;
  byId("connection").querySelector(".words").textContent = words;
  clearInterval(countdown);
  if (state === "ready") byId("banner").hidden = true;
  if (state === "stopped" && (code === 4503 || reason === "signed_out")) return showSignIn(ENDS[4503]);
  if (state === "stopped" && code) banner(ENDS[code] ?? "The server ended the connection.");
  if (state === "waiting") {
    const until = Date.now() + delay;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      banner(`The connection was lost. Trying again in ${seconds} s.`);
    };
    tick();
    countdown = setInterval(tick, 250);
  }
  if (state === "connecting" && !byId("banner").hidden) banner("Trying again…");
}

function banner(words) {
  byId("banner-words").textContent = words;
  byId("banner").hidden = false;
}

byId("banner-now").addEventListener("click", () => client?.connect());

// -- drawing ---------------------------------------------------------------------------------

const asked = new Set();

// Many changes are one drawing.
function changed(what) {
  if (!asked.size) requestAnimationFrame(draw);
  asked.add(what);
  // A window that is not seen draws nothing, but its title tells.
  if (document.hidden) draw();
}

function draw() {
  if (!store || !asked.size) return asked.clear();
  const what = new Set(asked);
  asked.clear();
  if (what.has("counts") || what.has("channels")) drawCounts();
  if (["channels", "typing", "presence", "open"].some((one) => what.has(one))) drawChannels(store, open);
  if (what.has("open") || (store.open === null && !byId("open").hidden)) drawOpen();
  const channel = store.channels.get(store.open);
  if (!channel) return;
  drawHead(store, channel);
  drawTyping(store, channel);
  if (channel.loaded && (what.has("messages") || what.has("open"))) drawPane(channel);
}

function drawCounts() {
  const unread = [...store.channels.values()].reduce((sum, { shown }) => sum + (shown.muted ? 0 : shown.unreadCount), 0);
  setBadge(byId("unread"), unread);
  setBadge(byId("notifications").querySelector(".badge"), store.counts.notifications);
  byId("notifications").setAttribute("aria-label", `Notifications: ${store.counts.notifications} unread`);
  document.title = (unread ? `(${unread}) ` : "") + document.title.replace(/^\(\d+\) /, "");
}

function setBadge(badge, count) {
  badge.textContent = count > 99 ? "99+" : count;
  badge.hidden = !count;
}

function drawOpen() {
  const channel = store.channels.get(store.open);
  byId("open").hidden = !channel;
  byId("nothing-open").hidden = Boolean(channel);
  byId("chat").toggleAttribute("data-reading", Boolean(channel));
}

function drawPane(channel) {
  const { scrollTop, scrollHeight } = pane;
  const first = byId("message-list").querySelector("[data-seq]")?.dataset.seq;
  drawMessages(store, channel, acts);
  const grownAbove = byId("message-list").querySelector("[data-seq]")?.dataset.seq !== first;
  byId("older").hidden = !channel.hasOlder;
  if (atEnd) pane.scrollTop = pane.scrollHeight;
  else if (grownAbove) pane.scrollTop = scrollTop + pane.scrollHeight - scrollHeight;
  if (pane.scrollHeight <= pane.clientHeight) older();
  drawLatest();
  seen();
}

function drawLatest() {
  byId("latest").hidden = atEnd;
  byId("latest").querySelector("span").textContent = unseen ? `${unseen} new` : "Latest";
}

// What stands on the screen of somebody who looks at it was read.
function seen() {
  const channel = store?.channels.get(store.open);
  if (channel?.loaded && atEnd && document.hasFocus() && !byId("open").hidden) store.read(channel);
}

async function older() {
  const channel = store?.channels.get(store.open);
  if (loadingOlder || !channel?.hasOlder) return;
  loadingOlder = true;
  try {
    await store.loadOlder(channel);
  } catch (error) {
    fail(error);
  }
  loadingOlder = false;
}

pane.addEventListener("scroll", () => {
  atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < AT_THE_END;
  if (atEnd) unseen = 0;
  if (pane.scrollTop < 300) older();
  drawLatest();
  seen();
});
new ResizeObserver(() => atEnd && (pane.scrollTop = pane.scrollHeight)).observe(pane);
addEventListener("focus", seen);
document.addEventListener("visibilitychange", () => changed("messages"));
byId("latest").addEventListener("click", () => (pane.scrollTop = pane.scrollHeight));

// -- conversations ---------------------------------------------------------------------------

async function open(id) {
  stopEditing();
  atEnd = true;
  unseen = 0;
  content.value = "";
  grow();
  byId("message-list").replaceChildren();
  try {
    await store.openChannel(id);
  } catch (error) {
    fail(error);
  }
  // On a phone the keyboard would cover what was opened.
  if (matchMedia("(min-width: 46rem)").matches) content.focus();
}

byId("back").addEventListener("click", () => {
  store.open = null;
  changed("open");
});
byId("new").addEventListener("click", pick);
startPicker(
  () => client,
  (shown) => {
    store.mergeChannel(shown);
    open(shown.id);
  },
);

// -- writing ---------------------------------------------------------------------------------

const current = () => store.channels.get(store.open);
const acts = {
  react: (message, emoji) => act(store.react(current(), message, emoji)),
  remove: (message) => act(store.remove(current(), message)),
  edit: startEditing,
  again: (entry) => store.send(current(), entry.content, entry),
  discard: (entry) => store.discard(current(), entry),
};

async function act(work) {
  try {
    await work;
  } catch (error) {
    fail(error);
    toast(error.message);
  }
}

function toast(words) {
  const made = element("p", { className: "toast", textContent: words });
  made.setAttribute("role", "alert");
  document.body.append(made);
  setTimeout(() => made.remove(), 4_000);
}

function startEditing(message) {
  editing = message;
  byId("editing").hidden = false;
  content.value = message.content;
  grow();
  content.focus();
}

function stopEditing() {
  if (!editing) return;
  editing = null;
  byId("editing").hidden = true;
  content.value = "";
  grow();
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = content.value;
  if (!text.trim()) return;
  const message = editing;
  stopEditing();
  content.value = "";
  grow();
  if (message) {
    if (text !== message.content) act(store.edit(current(), message, text));
  } else {
    atEnd = true;
    store.send(current(), text);
  }
});
content.addEventListener("keydown", (event) => {
  // While letters are being composed, Enter belongs to that.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    composer.requestSubmit();
  } else if (event.key === "Escape") {
    stopEditing();
  } else if (event.key === "ArrowUp" && !content.value) {
    const own = current().sorted.findLast((one) => one.sender?.userId === store.me.userId && !one.deletedAt);
    if (own) {
      event.preventDefault();
      startEditing(own);
    }
  }
});
content.addEventListener("input", () => {
  grow();
  if (content.value.trim() && !editing) client.typing(store.open);
});
byId("cancel-edit").addEventListener("click", stopEditing);

function grow() {
  content.rows = 1;
  content.rows = Math.min(6, Math.max(1, Math.round((content.scrollHeight - 18) / 24)));
  composer.querySelector(".send").disabled = !content.value.trim();
}

// On a phone there is no pointer that could rest on a message.
pane.addEventListener("click", (event) => {
  const pressed = event.target.closest(".message");
  for (const one of pane.querySelectorAll(".message.chosen")) if (one !== pressed) one.classList.remove("chosen");
  if (pressed && !event.target.closest("button")) pressed.classList.toggle("chosen");
});

// -- notifications ---------------------------------------------------------------------------

async function drawInbox() {
  const { data } = await client.request("GET", "/notifications?limit=10");
  byId("nothing-told").hidden = data.length > 0;
  byId("told").replaceChildren(
    ...data.map((one) =>
      element(
        "li",
        { className: one.isRead ? "" : "unread" },
        element("b", { textContent: one.title }),
        element("span", { textContent: one.body }),
        element("time", { textContent: new Date(one.createdAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) }),
      ),
    ),
  );
}

byId("notifications").addEventListener("click", async () => {
  byId("inbox").showModal();
  await drawInbox().catch(fail);
});
byId("read-all").addEventListener("click", async () => {
  await act(client.request("POST", "/notifications/mark-all-read"));
  await drawInbox().catch(fail);
});
byId("close-inbox").addEventListener("click", () => byId("inbox").close());

addEventListener("click", (event) => {
  if (!byId("me").contains(event.target)) byId("me").open = false;
});

startSignIn(begin);
if (held()) begin();
else showSignIn();
