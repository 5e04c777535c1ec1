// What is known of channels, messages and people. It knows nothing of the page: whoever shows it is told what changed.
//
// Everything is merged by number, so it does not matter whether the socket or an answer of the API is first.

import { randomId } from "../clients/core-realtime.js";

const PAGE = 50;
const TYPING = 4_000;

class Channel {
  constructor(shown) {
    this.shown = shown; // as REST gives it
    this.messages = new Map(); // by seq, as far as they were loaded
    this.pending = []; // sent from here and not answered yet
    this.typing = new Map(); // until when, by userId
    this.members = new Map(); // by userId, once it was opened
    this.loaded = false;
    this.asking = 0; // pages that are on their way
    this.late = []; // changes that such a page may not know yet
    this.hasOlder = false;
    this.firstUnread = 0; // where the line "New" is drawn
  }

  get id() {
    return this.shown.id;
  }

  get sorted() {
    return [...this.messages.values()].sort((a, b) => a.seq - b.seq);
  }
}

export class Store {
  constructor(client, me, changed) {
    this.client = client;
    this.me = me;
    this.changed = changed;
    this.channels = new Map();
    this.online = new Map();
    this.counts = { chat: 0, notifications: 0 };
    this.open = null;
    this.ready = false;
  }

  get ordered() {
    const when = ({ shown }) => shown.lastMessage?.createdAt ?? shown.createdAt;
    return [...this.channels.values()].sort((a, b) => when(b).localeCompare(when(a)));
  }

  // -- loading -------------------------------------------------------------------------------

  // After the socket said where things stand: what is loaded now is not older than that.
  async loadChannels() {
    const found = new Map();
    for (let cursor = null; cursor !== undefined; ) {
      const { data, meta } = await this.client.request("GET", `/chat/channels${cursor ? `?cursor=${cursor}` : ""}`);
      for (const shown of data) found.set(shown.id, shown);
      cursor = meta.nextCursor ?? undefined;
    }
    for (const id of this.channels.keys()) if (!found.has(id)) this.drop(id);
    for (const shown of found.values()) this.mergeChannel(shown);
    this.ready = true;
    this.watch();
    this.changed("channels");
  }

  async loadChannel(id) {
    const { data } = await this.client.request("GET", `/chat/channels/${id}`);
    this.mergeChannel(data);
    this.watch();
    this.changed("channels");
  }

  mergeChannel(shown) {
    const channel = this.channels.get(shown.id);
    if (!channel) {
      this.channels.set(shown.id, new Channel(shown));
      return;
    }
    const known = channel.shown;
    channel.shown = shown;
    // The socket may have been faster than this answer.
    if (known.lastSeq > shown.lastSeq) {
      Object.assign(shown, { lastSeq: known.lastSeq, lastMessage: known.lastMessage, unreadCount: known.unreadCount });
    }
    if (known.lastReadSeq > shown.lastReadSeq) this.moveRead(channel, known.lastReadSeq);
  }

  drop(id) {
    this.channels.delete(id);
    if (this.open === id) this.open = null;
  }

  async openChannel(id) {
    this.open = id;
    const channel = this.channels.get(id);
    channel.firstUnread = channel.shown.unreadCount ? channel.shown.lastReadSeq + 1 : 0;
    this.changed("open");
    if (!channel.loaded) await Promise.all([this.loadNewest(channel), this.loadMembers(channel)]);
    this.watch();
    this.changed("messages");
  }

  async loadNewest(channel) {
    await this.page(channel, `limit=${PAGE}`);
    channel.loaded = true;
  }

  async loadOlder(channel) {
    const [first] = channel.sorted;
    if (!first || !channel.hasOlder) return;
    await this.page(channel, `before=${first.seq}&limit=${PAGE}`);
    this.changed("messages");
  }

  async page(channel, query) {
    channel.asking += 1;
    try {
      const { data, meta } = await this.client.request("GET", `/chat/channels/${channel.id}/messages?${query}`);
      channel.hasOlder = meta.nextCursor !== null;
      for (const message of [...data, ...channel.late.filter(({ seq }) => data.some((one) => one.seq === seq))]) {
        this.merge(channel, message);
      }
    } finally {
      channel.asking -= 1;
      if (!channel.asking) channel.late = [];
    }
  }

  async loadMembers(channel) {
    const { data } = await this.client.request("GET", `/chat/channels/${channel.id}/members?limit=100`);
    channel.members = new Map(data.map((member) => [member.userId, member]));
  }

  // What was loaded may be old, in a channel or everywhere.
  async loadAgain(id) {
    for (const channel of this.channels.values()) {
      if (id && channel.id !== id) continue;
      channel.messages.clear();
      channel.loaded = false;
    }
    await this.loadChannels();
    if (this.open && (!id || this.open === id)) await this.openChannel(this.open);
  }

  // -- what the socket says ------------------------------------------------------------------

  message(id, message) {
    const channel = this.channels.get(id);
    if (!channel) return;
    // Also of what was not opened yet: a page that is asked for meanwhile may not have it.
    this.merge(channel, message);
    const own = message.sender?.userId === this.me.userId;
    const { shown } = channel;
    channel.typing.delete(message.sender?.userId);
    if (message.seq > shown.lastSeq) {
      shown.unreadCount += own || message.deletedAt ? 0 : 1;
      shown.lastSeq = message.seq;
      shown.lastMessage = lineOf(message);
    }
    // Whoever writes has read what is above.
    if (own) this.moveRead(channel, message.seq);
    this.changed("channels");
    this.changed("messages");
  }

  change(id, message) {
    const channel = this.channels.get(id);
    if (!channel) return;
    if (channel.messages.has(message.seq)) this.merge(channel, message);
    else if (channel.asking) channel.late.push(message);
    const { lastMessage, lastReadSeq } = channel.shown;
    if (message.seq === lastMessage?.seq) channel.shown.lastMessage = lineOf(message);
    // How many are unread without it is the server's to tell.
    if (message.deletedAt && message.seq > lastReadSeq) this.later(id);
    this.changed("channels");
    this.changed("messages");
  }

  // One request for many changes.
  later(id) {
    this.waiting ??= new Set();
    if (!this.waiting.size) {
      setTimeout(() => {
        const ids = [...this.waiting];
        this.waiting.clear();
        for (const one of ids) this.loadChannel(one).catch((error) => error.status === 404 || console.warn(error));
      }, 300);
    }
    this.waiting.add(id);
  }

  channelEvent(kind, id, data) {
    if (kind === "removed") this.drop(id);
    else if (kind === "added" && data) this.mergeChannel(data);
    else if (this.ready) this.later(id);
    this.watch();
    this.changed("channels");
    if (kind === "updated" && this.channels.get(id)?.loaded) {
      this.loadMembers(this.channels.get(id)).then(() => this.changed("messages"), console.warn);
    }
  }

  readEvent(id, userId, seq, counts) {
    const channel = this.channels.get(id);
    if (!channel) return;
    if (userId === this.me.userId) {
      this.moveRead(channel, seq);
      if (counts) channel.shown.unreadCount = counts.unreadCount;
      this.changed("channels");
    } else if (channel.members.has(userId)) {
      const member = channel.members.get(userId);
      member.lastReadSeq = Math.max(member.lastReadSeq ?? 0, seq);
      this.changed("messages");
    }
  }

  typingEvent(id, userId) {
    const channel = this.channels.get(id);
    if (!channel) return;
    channel.typing.set(userId, Date.now() + TYPING);
    this.changed("typing");
    setTimeout(() => this.changed("typing"), TYPING + 50);
  }

  presenceEvent(userId, online) {
    this.online.set(userId, online);
    this.changed("presence");
  }

  countsEvent(counts) {
    this.counts = counts;
    this.changed("counts");
  }

  typists(channel) {
    for (const [userId, until] of channel.typing) if (until <= Date.now()) channel.typing.delete(userId);
    return [...channel.typing.keys()].map((userId) => this.person(channel, userId));
  }

  person(channel, userId) {
    const { otherUser, members } = channel.shown;
    return channel.members.get(userId) ?? [this.me, otherUser, ...members].find((one) => one?.userId === userId) ?? { displayName: "Somebody" };
  }

  // -- what the person does ------------------------------------------------------------------

  async send(channel, content, pending = null) {
    const entry = pending ?? { clientMessageId: randomId(), content, createdAt: new Date().toISOString() };
    entry.failed = "";
    if (!pending) channel.pending.push(entry);
    this.changed("messages");
    try {
      const { clientMessageId } = entry;
      const message = await this.client.send(channel.id, entry.content, { clientMessageId });
      channel.pending = channel.pending.filter((one) => one !== entry);
      this.merge(channel, message);
    } catch (error) {
      entry.failed = error.message;
    }
    this.changed("messages");
  }

  discard(channel, entry) {
    channel.pending = channel.pending.filter((one) => one !== entry);
    this.changed("messages");
  }

  async edit(channel, message, content) {
    await this.update(channel, "PATCH", `/${message.id}`, { content });
  }

  async remove(channel, message) {
    await this.update(channel, "DELETE", `/${message.id}`);
  }

  async react(channel, message, emoji) {
    const mine = message.reactions.some((one) => one.emoji === emoji && one.userIds.includes(this.me.userId));
    await this.update(channel, mine ? "DELETE" : "PUT", `/${message.id}/reactions/${encodeURIComponent(emoji)}`);
  }

  async update(channel, method, path, body) {
    const { data } = await this.client.request(method, `/chat/channels/${channel.id}/messages${path}`, body);
    this.merge(channel, data);
    this.changed("messages");
  }

  read(channel) {
    const { lastSeq, lastReadSeq } = channel.shown;
    if (lastSeq <= lastReadSeq) return;
    this.client.read(channel.id, lastSeq);
    this.moveRead(channel, lastSeq);
    this.changed("channels");
  }

  moveRead(channel, seq) {
    const { shown } = channel;
    shown.lastReadSeq = Math.max(shown.lastReadSeq, seq);
    if (shown.lastReadSeq >= shown.lastSeq) shown.unreadCount = 0;
  }

  // -- the rest ------------------------------------------------------------------------------

  // Of two states of one message the later.
  merge(channel, message) {
    const known = channel.messages.get(message.seq);
    if (known && known.changeSeq > message.changeSeq) return;
    channel.messages.set(message.seq, message);
    channel.pending = channel.pending.filter((one) => one.clientMessageId !== message.clientMessageId);
  }

  // Those whose dots are seen: the other one of each direct channel, and members of what is open.
  watch() {
    const wanted = new Set();
    for (const userId of this.channels.get(this.open)?.members.keys() ?? []) wanted.add(userId);
    for (const { shown } of this.ordered) if (shown.otherUser) wanted.add(shown.otherUser.userId);
    wanted.delete(this.me.userId);
    const some = [...wanted].slice(0, 200).sort((a, b) => a - b);
    if (String(some) !== String(this.watched)) this.client.presence(some);
    this.watched = some;
  }
}

// A message as the list of channels shows it.
function lineOf({ seq, sender, content, createdAt, deletedAt }) {
  return { seq, sender, preview: content.replace(/\s+/g, " ").slice(0, 140), createdAt, deleted: deletedAt !== null };
}
