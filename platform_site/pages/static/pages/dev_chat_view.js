// Elements of the chat. Everything that people wrote is put in as text.
import { button, element, reconcile } from "./elements.js";
import { byId } from "./forms.js";

const TOGETHER = 5 * 60_000;
const HUES = 8;
export const QUICK = ["👍", "❤️", "😂", "🎉", "👀"];

export function face(person, { online = null, group = false } = {}) {
  const name = person?.displayName ?? "?";
  const initials = name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
  const made = element("span", { className: `face hue-${group ? "group" : (person?.userId ?? 0) % HUES}` }, initials);
  made.setAttribute("aria-hidden", "true");
  if (online !== null) made.append(element("i", { className: online ? "here" : "away" }));
  return made;
}

const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const day = (time) => new Date(time).toDateString();

export function dayName(time) {
  const today = new Date();
  if (day(time) === day(today)) return "Today";
  if (day(time) === day(today - 86_400_000)) return "Yesterday";
  return new Date(time).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

const shortTime = (time) =>
  day(time) === day(new Date()) ? clock(time) : new Date(time).toLocaleDateString([], { day: "numeric", month: "short" });

// -- the list of channels --------------------------------------------------------------------

export function drawChannels(store, open) {
  const items = store.ordered.map((channel) => {
    const { shown } = channel;
    const typing = store.typists(channel).map((person) => person.displayName);
    const online = shown.otherUser ? (store.online.get(shown.otherUser.userId) ?? false) : null;
    const seen = { ...shown, members: null, changeSeq: null, lastReadSeq: null };
    return [channel.id, JSON.stringify([seen, typing, online, store.open === channel.id]), { channel, typing, online }];
  });
  reconcile(byId("channels"), items, ({ channel, typing, online }) => channelItem(store, channel, typing, online, open));
  byId("no-channels").hidden = !store.ready || items.length > 0;
}

function channelItem(store, channel, typing, online, open) {
  const { id, shown } = channel;
  const person = shown.otherUser ?? { displayName: shown.name };
  const line = element("span", { className: "preview" });
  if (typing.length) line.append(element("em", { textContent: `${typing[0]} is typing…` }));
  else line.append(previewOf(store, channel));
  const badge = element("b", { className: "badge", textContent: shown.unreadCount > 99 ? "99+" : shown.unreadCount });
  badge.setAttribute("aria-label", `${shown.unreadCount} unread`);
  badge.hidden = shown.unreadCount === 0;
  const time = element("time", { textContent: shown.lastMessage ? shortTime(shown.lastMessage.createdAt) : "" });
  const made = element(
    "button",
    { type: "button", className: shown.unreadCount ? "unread" : "" },
    face(person, { online, group: shown.type === "group" }),
    element("span", { className: "both" }, element("span", { className: "name", textContent: shown.name }), time),
    element("span", { className: "both" }, line, badge),
  );
  if (store.open === id) made.setAttribute("aria-current", "true");
  made.addEventListener("click", () => open(id));
  return element("li", {}, made);
}

function previewOf(store, channel) {
  const { lastMessage, type } = channel.shown;
  if (!lastMessage) return element("i", { textContent: "Nothing was said yet" });
  if (lastMessage.deleted) return element("i", { textContent: "Message deleted" });
  const own = lastMessage.sender?.userId === store.me.userId;
  const who = own ? "You: " : type === "group" ? `${firstName(lastMessage.sender)}: ` : "";
  const named = (whole, userId) => `@${userId === "all" ? userId : store.person(channel, Number(userId)).displayName}`;
  return who + lastMessage.preview.replace(/<@(\d+|all)>/g, named);
}

const firstName = (person) => (person?.displayName ?? "Deleted user").split(/\s+/)[0];

// -- one conversation ------------------------------------------------------------------------

export function drawHead(store, channel) {
  const { shown } = channel;
  const online = shown.otherUser ? (store.online.get(shown.otherUser.userId) ?? false) : null;
  const person = shown.otherUser ?? { displayName: shown.name };
  byId("channel-face").replaceChildren(face(person, { online, group: shown.type === "group" }));
  byId("channel-name").textContent = shown.name;
  const here = [...channel.members.keys()].filter((userId) => store.online.get(userId) || userId === store.me.userId).length;
  const people = `${shown.memberCount} people${channel.members.size ? `, ${here} here` : ""}`;
  byId("channel-about").textContent = shown.otherUser ? (online ? "Here now" : "Not here") : people;
  byId("composer").hidden = !shown.canPost;
  byId("closed").hidden = shown.canPost;
}

export function drawTyping(store, channel) {
  const names = store.typists(channel).map(firstName);
  byId("typing").textContent =
    names.length === 0 ? "" : names.length > 2 ? "Several people are typing…" : `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} typing…`;
}

export function drawMessages(store, channel, acts) {
  const items = [];
  let before = null;
  const add = (key, item) => items.push([key, JSON.stringify(item.signature), item]);
  for (const message of channel.sorted) {
    if (!before || day(before.createdAt) !== day(message.createdAt)) {
      add(`day ${day(message.createdAt)}`, { signature: dayName(message.createdAt), line: dayName(message.createdAt) });
      before = null;
    }
    if (message.seq === channel.firstUnread && message.sender?.userId !== store.me.userId) {
      add("new", { signature: "new", line: "New", fresh: true });
      before = null;
    }
    const begins = !before || before.sender?.userId !== message.sender?.userId || new Date(message.createdAt) - new Date(before.createdAt) > TOGETHER;
    const seen = seenBy(store, channel, message);
    add(`${message.seq}`, { signature: [message, begins, seen], message, begins, seen });
    before = message;
  }
  for (const entry of channel.pending) {
    const message = { ...entry, sender: store.me, reactions: [], mentions: [] };
    const begins = before?.sender?.userId !== store.me.userId;
    add(entry.clientMessageId, { signature: [message, begins], message, begins, entry });
    before = message;
  }
  reconcile(byId("message-list"), items, (item) => (item.line ? lineItem(item) : messageItem(store, channel, item, acts)));
}

function lineItem({ line, fresh }) {
  return element("li", { className: fresh ? "line fresh" : "line" }, element("span", { textContent: line }));
}

// Under one's own last message, up to where the others have read.
function seenBy(store, channel, message) {
  if (message.sender?.userId !== store.me.userId || message.seq !== channel.shown.lastSeq) return "";
  const others = [...channel.members.values()].filter((member) => member.userId !== store.me.userId);
  const seen = others.filter((member) => (member.lastReadSeq ?? 0) >= message.seq).length;
  if (!seen) return "";
  return others.length === 1 ? "Seen" : seen === others.length ? "Seen by all" : `Seen by ${seen}`;
}

function messageItem(store, channel, { message, begins, seen, entry }, acts) {
  const own = message.sender?.userId === store.me.userId;
  const gone = Boolean(message.deletedAt);
  const made = element("li", { className: ["message", own ? "own" : "", begins ? "begins" : "", gone ? "gone" : ""].join(" ").trim() });
  if (entry) made.classList.add(entry.failed ? "failed" : "waiting");
  else made.dataset.seq = message.seq;
  if (begins && !own) {
    made.append(face(message.sender));
    made.append(element("p", { className: "who", textContent: message.senderName }));
  }
  const bubble = element("div", { className: "bubble" });
  if (gone) bubble.append(element("i", { textContent: "This message was deleted." }));
  else bubble.append(...words(message));
  const when = element("span", { className: "when" }, message.editedAt && !gone ? "edited " : "", clock(message.createdAt));
  bubble.append(when);
  made.append(bubble);
  if (!entry && !gone) made.append(tools(message, own, acts));
  if (message.reactions.length) made.append(reactions(store, channel, message, acts));
  if (entry?.failed) made.append(refused(entry, acts));
  if (seen) made.append(element("p", { className: "seen", textContent: seen }));
  return made;
}

// <@5> and the like are people; the message says who.
function words({ content, mentions, mentionsEveryone }) {
  return content.split(/(<@[\w-]+>)/).map((part) => {
    const named = /^<@([\w-]+)>$/.exec(part)?.[1];
    const person = mentions.find((one) => named === String(one.userId) || named === one.id);
    if (person) return element("mark", { textContent: `@${person.displayName}` });
    return named === "all" && mentionsEveryone ? element("mark", { textContent: "@all" }) : part;
  });
}

function tools(message, own, acts) {
  const made = element("div", { className: "act" });
  for (const emoji of QUICK) made.append(button(emoji, `React with ${emoji}`, () => acts.react(message, emoji)));
  if (own) {
    made.append(button("✎", "Edit", () => acts.edit(message)));
    made.append(button("🗑", "Delete", (event) => sure(event.currentTarget, () => acts.remove(message))));
  }
  return made;
}

// Asked where it was pressed: a second press deletes.
function sure(pressed, work) {
  if (pressed.dataset.sure) return work();
  pressed.dataset.sure = "asked";
  pressed.textContent = "Delete?";
  setTimeout(() => {
    delete pressed.dataset.sure;
    pressed.textContent = "🗑";
  }, 3_000);
}

function reactions(store, channel, message, acts) {
  const chips = message.reactions.map(({ emoji, count, userIds }) => {
    const mine = userIds.includes(store.me.userId);
    const names = userIds.map((userId) => (userId === store.me.userId ? "You" : store.person(channel, userId).displayName));
    const chip = button(`${emoji} ${count}`, `${emoji}: ${names.join(", ")}`, () => acts.react(message, emoji));
    chip.setAttribute("aria-pressed", mine);
    return chip;
  });
  return element("div", { className: "reactions" }, ...chips);
}

function refused(entry, acts) {
  return element(
    "p",
    { className: "refused" },
    `${entry.failed} `,
    button("Try again", "Try again", () => acts.again(entry)),
    " ",
    button("Discard", "Discard", () => acts.discard(entry)),
  );
}
