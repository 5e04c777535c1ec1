// A client of the socket, for browsers and Node: one module, no build step, nothing to install.
//
// It keeps a position for each channel, [seq, changeSeq], and hands messages on once and in their order, whatever
// arrives twice, late, or not at all. What the protocol says: docs/realtime.md. How to use this: clients/README.md.

// Milliseconds. A test may want less patience.
const TIMING = {
  hole: 500, // a message that is missing in between is waited for so long, then fetched
  resume: 10_000, // likewise while the server is still sending what was missed
  opening: 15_000, // from the handshake to ready
  silence: 40_000, // after it the connection is dead, whatever TCP thinks
  shortest: 1_000, // pauses before coming back
  longest: 30_000,
  restart: 10_000, // a server that stops asks for coming back within this
  steady: 10_000, // a connection that lasted so long makes the next pause short again
  typing: 3_000, // the server drops what comes more often
};
const PAGE = 200;
// The first frame may have 8 KiB. Channels that do not fit are compared here with what ready says of them.
const FIRST_FRAME = 8_000;
// Notifications that were told of are known again by their ids.
const REMEMBERED = 500;
const RESTARTING = 4000;
const TOO_FAST = 4013;

export class RequestFailed extends Error {
  // status 0: nobody answered.
  constructor(status, error = {}, retryAfter = 0) {
    super(error.message ?? `The API did not answer as it should (${status}).`);
    this.status = status;
    this.code = error.code ?? "unreachable";
    this.details = error.details ?? [];
    this.context = error.context ?? {};
    this.retryAfter = retryAfter;
  }

  // Whether the same request may do better later.
  get passing() {
    return this.status === 0 || this.status >= 500 || [408, 425, 429].includes(this.status);
  }
}

// What is known of one channel. The position is [seq, changeSeq]; seq is null until it is known where to begin.
class Channel {
  constructor(seq, changeSeq = 0) {
    this.seq = seq;
    this.changeSeq = changeSeq;
    this.last = seq ?? 0; // the highest message that is known to exist
    this.held = new Map(); // messages ahead of the position, by seq
    this.ahead = new Set(); // numbers of changes ahead of the position
    this.changed = new Map(); // the change that each message was handed on with, by seq
    this.resuming = false; // the server is sending what was missed
    this.round = 0; // how often the server has said where this client stands
    this.timer = null;
  }

  get whole() {
    return this.seq !== null && this.seq >= this.last;
  }

  // Of two states of one message the later.
  hold(message) {
    const before = this.held.get(message.seq);
    if (!before || before.changeSeq < message.changeSeq) this.held.set(message.seq, message);
    this.last = Math.max(this.last, message.seq);
  }

  // Where to begin, and no later than with what is held already.
  begin(seq) {
    this.seq ??= Math.min(seq, this.lowest - 1);
    this.last = Math.max(this.last, seq);
  }

  get lowest() {
    return Math.min(Infinity, ...this.held.keys());
  }

  stopWaiting() {
    clearTimeout(this.timer);
    this.timer = null;
    this.resuming = false;
  }
}

export class CoreRealtime {
  #url; #apiBase; #getToken; #WebSocket; #storage; #timing;
  #listeners = new Map();
  #state = "stopped";
  #socket = null;
  #turn = 0; // what belongs to an earlier connection finds another number here
  #attempts = 0;
  #stale = false; // the server did not like the token
  #renewed = false; // and got another one already
  #timers = { watch: null, pause: null, steady: null, auth: null };
  #channels = new Map();
  #named = new Map(); // the positions that this connection began with
  #opening = false; // they were named, and the server's answer to them is on its way
  #holes = new Set(); // channels that are to be filled by REST
  #filling = false;
  #epoch = null;
  #user = null;
  #lastNotificationId = null;
  #notified = new Set();
  #sending = new Map(); // the last message of each channel that is on its way
  #awaited = new Set(); // those who wait for the server to be back
  #reads = new Map(); // read marks that nobody has confirmed
  #typed = new Map();
  #watched = null;

  // getToken({fresh}) gives an access token, or nothing when there is nobody signed in any more; `fresh` asks for
  // another one than the last. positions: {load(), save(positions)}, for those who keep messages over a restart.
  constructor({ url, apiBase, getToken, WebSocket = globalThis.WebSocket, positions = null, timing = {} }) {
    if (!WebSocket) throw new TypeError("There is no WebSocket here; give one as an option.");
    this.#url = url;
    this.#apiBase = apiBase.replace(/\/$/, "");
    this.#getToken = getToken;
    this.#WebSocket = WebSocket;
    this.#storage = positions;
    this.#timing = { ...TIMING, ...timing };
    this.#restore(positions?.load() ?? {});
  }

  get state() {
    return this.#state;
  }

  // {userId, epoch, lastNotificationId, channels: {id: [seq, changeSeq]}}
  get positions() {
    const channels = {};
    for (const [id, { seq, changeSeq }] of this.#channels) if (seq !== null) channels[id] = [seq, changeSeq];
    return { userId: this.#user, epoch: this.#epoch, lastNotificationId: this.#lastNotificationId, channels };
  }

  // state message change channel read typing presence notification counts refresh error. Gives what takes it off again.
  on(kind, listener) {
    if (!this.#listeners.has(kind)) this.#listeners.set(kind, new Set());
    this.#listeners.get(kind).add(listener);
    return () => this.#listeners.get(kind).delete(listener);
  }

  // Also the way to come back at once while it waits, and after it stopped.
  connect() {
    if (this.#state === "connecting" || this.#state === "ready") return;
    this.#open();
  }

  close() {
    this.#leave();
    this.#set("stopped", { reason: "closed" });
  }

  // The stored message. Sent until it is answered; the id makes sure that it is there once. What is sent to one channel
  // goes one after the other, so that it stands there in the order in which it was written.
  send(channelId, content, { clientMessageId = randomId(), replyTo } = {}) {
    const body = { content, clientMessageId, ...(replyTo && { replyTo }) };
    const before = this.#sending.get(channelId);
    const post = () => this.#post(channelId, body);
    // One that was refused holds the next one up no longer.
    const sent = before ? before.then(post, post) : post();
    this.#sending.set(channelId, sent);
    const done = () => this.#sending.get(channelId) === sent && this.#sending.delete(channelId);
    sent.then(done, done);
    return sent;
  }

  async #post(channelId, body) {
    for (let attempts = 0; ; attempts++) {
      try {
        const channel = this.#channels.get(channelId);
        const round = channel?.round;
        const { data } = await this.request("POST", `/chat/channels/${channelId}/messages`, body);
        // The answer is as good as the frame, and may be here before it.
        const same = channel === this.#channels.get(channelId);
        if (same && channel?.seq != null && this.#believes(channel, round)) this.#offer(channelId, channel, data);
        this.#save();
        return data;
      } catch (error) {
        if (!error.passing) throw error;
        await this.#pause(attempts, error);
      }
    }
  }

  // Whether an answer of REST, asked for in that round, may be taken now. It may be older than changes of which the
  // server has said meanwhile that they are known here. And what the server sends first follows from the positions that
  // were named, so until then none of them may move.
  #believes(channel, round) {
    return channel.round === round && !this.#opening;
  }

  // Until it is time to try again; the server's own word counts more, and that it is back counts less.
  #pause(attempts, { retryAfter = 0 }) {
    const pause = this.#pauseOf(attempts);
    if (retryAfter) return sleep(Math.max(pause, retryAfter * 1000));
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#awaited.delete(back) && resolve(), pause);
      const back = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#awaited.add(back);
    });
  }

  // Everything up to seq was seen. Said again after a reconnect when nobody confirmed it.
  read(channelId, seq) {
    if ((this.#reads.get(channelId) ?? 0) >= seq) return;
    this.#reads.set(channelId, seq);
    this.#sayRead(channelId, seq);
  }

  typing(channelId) {
    const now = Date.now();
    if (this.#state !== "ready" || now - (this.#typed.get(channelId) ?? -Infinity) < this.#timing.typing) return;
    this.#typed.set(channelId, now);
    this.#say({ t: "typing", channelId });
  }

  // Whose coming and going is told, at most 200 people by their userId; replaces those before.
  presence(userIds) {
    this.#watched = [...userIds];
    this.#say({ t: "presence", id: "presence", userIds: this.#watched });
  }

  // One request to the API as this person: {data, meta}, or RequestFailed.
  async request(method, path, body) {
    let failed;
    for (const fresh of [false, true]) {
      const token = await this.#getToken({ fresh }).catch(unreachable);
      if (!token) throw new RequestFailed(401, { code: "unauthorized", message: "Nobody is signed in." });
      const answer = await fetchJson(`${this.#apiBase}${path}`, method, token, body);
      if (answer.body?.success) return { data: answer.body.data, meta: answer.body.meta ?? {} };
      failed = new RequestFailed(answer.status, answer.body?.error, answer.retryAfter);
      if (answer.status !== 401) throw failed;
    }
    throw failed;
  }

  // -- the connection ------------------------------------------------------------------------

  async #open() {
    const turn = this.#leave();
    this.#set("connecting", {});
    // From here on: a token that does not come is no better than a socket that does not open.
    this.#watch(this.#timing.opening, "unreachable");
    let token;
    try {
      token = await this.#getToken({ fresh: this.#stale });
    } catch (error) {
      console.warn("There is no access token for the socket.", error);
      if (turn === this.#turn) this.#ended(0, "unreachable");
      return;
    }
    if (turn !== this.#turn) return;
    if (!token) {
      this.#leave();
      this.#set("stopped", { reason: "signed_out" });
      return;
    }
    this.#stale = false;
    const socket = new this.#WebSocket(this.#url, ["core.v1"]);
    this.#socket = socket;
    const current = (work) => (event) => {
      if (turn === this.#turn) work(event);
    };
    socket.onopen = current(() => this.#signIn(token));
    socket.onmessage = current(({ data }) => this.#receive(data));
    socket.onclose = current(({ code, reason }) => this.#ended(code, reason || this.#lost()));
    // A close follows, and says as much.
    socket.onerror = () => {};
  }

  #signIn(token) {
    const frame = { t: "auth", token, since: {} };
    if (this.#lastNotificationId) frame.lastNotificationId = this.#lastNotificationId;
    let left = FIRST_FRAME - JSON.stringify(frame).length;
    this.#named = new Map();
    this.#opening = true;
    for (const [id, { seq, changeSeq }] of this.#channels) {
      left -= JSON.stringify([id, [seq, changeSeq]]).length;
      if (left < 0) break;
      if (seq === null) continue;
      frame.since[id] = [seq, changeSeq];
      this.#named.set(id, frame.since[id]);
    }
    this.#say(frame, true);
  }

  // Silence is death: a connection through a dead router says nothing of it.
  #watch(patience, reason) {
    clearTimeout(this.#timers.watch);
    this.#timers.watch = setTimeout(() => this.#ended(0, reason), patience);
  }

  // Nothing of the connection that was is listened to any more. Gives the number of the next.
  #leave() {
    globalThis.removeEventListener?.("online", this.#online);
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    for (const channel of this.#channels.values()) channel.stopWaiting();
    const socket = this.#socket;
    this.#socket = null;
    this.#opening = false;
    try {
      socket?.close();
    } catch {
      // It was not open yet, and some implementations mind.
    }
    return ++this.#turn;
  }

  #lost() {
    return this.#state === "ready" ? "closed" : "unreachable";
  }

  #ended(code, reason) {
    this.#leave();
    if (code >= 4500 && code < 4600) {
      this.#set("stopped", { code, reason });
      return;
    }
    const renew = code >= 4400 && code < 4500;
    // A token that ended is no reason to wait; one after the other that is refused is.
    const atOnce = renew && !this.#renewed;
    this.#renewed = this.#stale = renew;
    const delay = atOnce ? 0 : this.#pauseAfter(code);
    globalThis.addEventListener?.("online", this.#online);
    this.#timers.pause = setTimeout(() => this.#open(), delay);
    this.#set("waiting", { code, reason, delay });
  }

  #pauseAfter(code) {
    // Everybody comes back from one restart, so each at another moment of it.
    if (code === RESTARTING) return Math.random() * this.#timing.restart;
    const pause = this.#pauseOf(this.#attempts++);
    return code === TOO_FAST ? Math.max(pause, (this.#timing.longest * (1 + Math.random())) / 2) : pause;
  }

  // Between the shortest pause and one that doubles each time, by chance.
  #pauseOf(attempts) {
    const { shortest, longest } = this.#timing;
    const most = Math.min(longest, shortest * 2 ** (Math.min(attempts, 20) + 1));
    return shortest + Math.random() * (most - shortest);
  }

  #online = () => {
    if (this.#state === "waiting") this.#open();
  };

  #set(state, details) {
    this.#state = state;
    this.#emit("state", { state, ...details });
  }

  #say(frame, opening = false) {
    if (this.#state === "ready" || opening) this.#socket?.send(JSON.stringify(frame));
  }

  #sayRead(channelId, seq) {
    this.#say({ t: "read", id: `read ${channelId} ${seq}`, channelId, seq });
  }

  async #renew() {
    const turn = this.#turn;
    try {
      const token = await this.#getToken({ fresh: true });
      if (turn === this.#turn && token) this.#say({ t: "auth", token });
    } catch (error) {
      console.warn("There is no new access token for the socket.", error);
      if (turn === this.#turn) this.#timers.auth = setTimeout(() => this.#renew(), this.#timing.shortest * 5);
    }
  }

  // -- frames --------------------------------------------------------------------------------

  #receive(text) {
    this.#watch(this.#timing.silence, "silent");
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    // Kinds that this client does not know are for a newer one.
    this.#kinds[frame.t]?.(frame);
    this.#save();
  }

  #kinds = {
    __proto__: null,
    ready: (frame) => this.#ready(frame),
    "message.created": ({ c, d }) => this.#offer(c, this.#channel(c), d),
    "message.updated": (frame) => this.#change(frame),
    resumed: (frame) => this.#caughtUp(frame),
    gap: (frame) => this.#gap(frame),
    "channel.added": (frame) => this.#added(frame),
    "channel.updated": ({ c, d }) => this.#emit("channel", { kind: "updated", channelId: c, data: d }),
    "channel.removed": ({ c }) => this.#forget(c),
    "channel.read": ({ c, userId, seq, d }) => this.#emit("read", { channelId: c, userId, seq, data: d ?? null }),
    typing: ({ c, userId }) => this.#emit("typing", { channelId: c, userId }),
    presence: ({ userId, online }) => this.#emit("presence", { userId, online }),
    "notification.created": ({ d }) => this.#notification(d),
    "notification.read": ({ d }) => this.#emit("notification", { kind: "read", data: d }),
    "notification.readAll": ({ d }) => this.#emit("notification", { kind: "readAll", data: d }),
    "notification.dismissed": ({ d }) => this.#emit("notification", { kind: "dismissed", data: d }),
    counts: ({ d }) => this.#emit("counts", d),
    refresh: () => this.#emit("refresh", { reason: "server", channelId: null }),
    "auth.expiring": () => this.#renew(),
    ok: (frame) => this.#ok(frame),
    error: ({ code, message, id }) => {
      this.#confirm(id);
      this.#emit("error", { code, message });
    },
  };

  #ready(frame) {
    this.#opening = false;
    const begins = this.#epoch === null;
    const another = !begins && (frame.epoch !== this.#epoch || frame.user.id !== this.#user);
    // Numbers of another history, or of somebody else.
    if (another) this.#reset();
    this.#epoch = frame.epoch;
    this.#user = frame.user.id;
    this.#lastNotificationId ??= frame.lastNotificationId ?? null;
    this.#renewed = false;
    this.#timers.steady = setTimeout(() => (this.#attempts = 0), this.#timing.steady);
    this.#set("ready", { ready: frame });
    for (const back of this.#awaited) back();
    this.#awaited.clear();
    for (const [channelId, seq] of this.#reads) this.#sayRead(channelId, seq);
    if (this.#watched) this.presence(this.#watched);
    for (const id of frame.left ?? []) this.#forget(id);
    for (const entry of frame.channels) this.#compare(entry, begins || another);
    // What was missing when the last connection ended is missing still.
    for (const [id, channel] of this.#channels) if (!channel.resuming) this.#look(id, channel);
    this.#emit("counts", frame.counts);
    if (another) this.#emit("refresh", { reason: "epoch", channelId: null });
  }

  // One channel of ready against what is known of it.
  #compare([id, last, changeSeq], begins) {
    const channel = this.#channels.get(id);
    if (!channel) {
      this.#channels.set(id, new Channel(last, changeSeq));
      if (!begins) this.#emit("channel", { kind: "added", channelId: id, data: null });
      return;
    }
    channel.begin(last);
    // What waited, or was asked for before, may be older than what the server takes for known here. It comes again.
    channel.held.clear();
    channel.round += 1;
    if (this.#named.has(id)) {
      channel.resuming = true;
      this.#look(id, channel);
    } else if (changeSeq > channel.changeSeq) {
      // It did not fit into the first frame: nobody will send these changes.
      this.#moveChanges(channel, changeSeq);
      this.#emit("refresh", { reason: "changes", channelId: id });
    }
  }

  // Everything up to `to` was sent, so what is missing now does not come any more.
  #caughtUp({ c: id, to, ch }) {
    const channel = this.#channels.get(id);
    if (!channel) return;
    channel.last = Math.max(channel.last, to);
    channel.round += 1;
    this.#moveChanges(channel, ch);
    channel.stopWaiting();
    if (!channel.whole) this.#toFill(id);
  }

  #gap({ c: id, from, to, ...rest }) {
    const channel = this.#channels.get(id);
    if (!channel) return;
    // One that comes in the middle may be about messages alone.
    const ch = rest.ch ?? channel.changeSeq;
    const [seq, changeSeq] = this.#named.get(id) ?? [0, 0];
    const handedOn = channel.seq ?? 0;
    channel.stopWaiting();
    if (seq > to || changeSeq > ch) {
      // The server knows less than this client: its numbers went back.
      this.#channels.set(id, new Channel(to, ch));
      this.#emit("refresh", { reason: "epoch", channelId: id });
      return;
    }
    channel.begin(from - 1);
    channel.last = Math.max(channel.last, to);
    channel.round += 1;
    this.#moveChanges(channel, ch);
    if (!channel.whole) this.#toFill(id);
    // It begins among messages that were handed on: more of them were changed than the server sends.
    if (from <= handedOn) this.#emit("refresh", { reason: "changes", channelId: id });
  }

  #added({ c: id, seq, ch, d }) {
    const channel = this.#channel(id);
    if (channel.seq === null) this.#moveChanges(channel, ch);
    // Of one that is known more may have been heard already.
    channel.begin(seq);
    this.#emit("channel", { kind: "added", channelId: id, data: d });
    this.#advance(id, channel);
  }

  #forget(id) {
    const channel = this.#channels.get(id);
    if (!channel) return;
    channel.stopWaiting();
    this.#channels.delete(id);
    this.#reads.delete(id);
    this.#emit("channel", { kind: "removed", channelId: id, data: null });
  }

  #notification(data) {
    if (this.#notified.has(data.id)) return;
    this.#notified.add(data.id);
    if (this.#notified.size > REMEMBERED) this.#notified.delete(this.#notified.values().next().value);
    if (data.id > (this.#lastNotificationId ?? "")) this.#lastNotificationId = data.id;
    this.#emit("notification", { kind: "created", data });
  }

  #ok({ id, d }) {
    this.#confirm(id);
    if (id !== "presence") return;
    for (const userId of this.#watched ?? []) this.#emit("presence", { userId, online: d.online.includes(userId) });
  }

  #confirm(id) {
    const [kind, channelId, seq] = String(id).split(" ");
    if (kind === "read" && this.#reads.get(channelId) === Number(seq)) this.#reads.delete(channelId);
  }

  // -- order ---------------------------------------------------------------------------------

  // Of a channel that nobody spoke of yet it is not known where to begin; the word of it may be on its way.
  #channel(id) {
    if (!this.#channels.has(id)) this.#channels.set(id, new Channel(null));
    return this.#channels.get(id);
  }

  #offer(id, channel, message) {
    if (channel.seq !== null && message.seq <= channel.seq) {
      this.#revise(id, channel, message);
      return;
    }
    channel.hold(message);
    this.#advance(id, channel);
  }

  // One that was handed on already, if this is a later state of it: what was held may have been old when it was its turn.
  #revise(id, channel, message) {
    const { seq, changeSeq } = message;
    if (changeSeq <= (channel.changed.get(seq) ?? 0)) return;
    channel.changed.set(seq, changeSeq);
    this.#emit("change", { channelId: id, seq, changeSeq, message });
  }

  // A message that was not handed on yet is handed on as it is now.
  #change({ c: id, ch, d }) {
    const channel = this.#channel(id);
    if (ch > channel.changeSeq) channel.ahead.add(ch);
    this.#moveChanges(channel, channel.changeSeq);
    this.#offer(id, channel, d);
  }

  // The number of changes moves without a hole. One that never comes was followed by another of the same message.
  #moveChanges(channel, upTo) {
    channel.changeSeq = Math.max(channel.changeSeq, upTo);
    for (const number of channel.ahead) if (number <= channel.changeSeq) channel.ahead.delete(number);
    while (channel.ahead.delete(channel.changeSeq + 1)) channel.changeSeq += 1;
  }

  // Hands on what is next. `upTo`: what is missing before it is known not to exist, for this person at least.
  #advance(id, channel, upTo = 0) {
    while (channel.seq !== null) {
      const message = channel.held.get(channel.seq + 1);
      if (message) {
        channel.seq += 1;
        channel.held.delete(channel.seq);
        if (message.changeSeq > 0) channel.changed.set(channel.seq, message.changeSeq);
        this.#emit("message", { channelId: id, seq: channel.seq, message });
      } else if (channel.seq < upTo) {
        channel.seq = Math.min(upTo, channel.lowest - 1);
      } else break;
    }
    this.#look(id, channel);
  }

  // A hole is given a moment to close by itself: two messages may have overtaken one another.
  #look(id, channel) {
    if (channel.whole || this.#state !== "ready") {
      clearTimeout(channel.timer);
      channel.timer = null;
    } else {
      const patience = channel.resuming ? this.#timing.resume : this.#timing.hole;
      channel.timer ??= setTimeout(() => {
        channel.stopWaiting();
        if (channel.seq === null) this.#begin(id, channel);
        else this.#toFill(id);
      }, patience);
    }
  }

  // The word of a new channel was lost: it begins with the first message that was heard of it.
  #begin(id, channel) {
    if (this.#channels.get(id) !== channel || channel.held.size === 0) return;
    channel.begin(channel.last);
    this.#emit("channel", { kind: "added", channelId: id, data: null });
    this.#advance(id, channel);
    this.#save();
  }

  #toFill(id) {
    this.#holes.add(id);
    this.#fill();
  }

  // One page after the other, and one channel after the other: many gaps are no reason to ask everything at once.
  async #fill() {
    if (this.#filling) return;
    this.#filling = true;
    let failures = 0;
    while (this.#holes.size && this.#state === "ready") {
      const [id] = this.#holes;
      this.#holes.delete(id);
      try {
        await this.#fillOnePage(id);
        failures = 0;
      } catch (error) {
        if (error.status === 404) this.#forget(id);
        else {
          console.warn("What is missing in a channel could not be read.", error);
          this.#holes.add(id);
          await this.#pause(failures++, error);
        }
      }
    }
    this.#filling = false;
  }

  async #fillOnePage(id) {
    const channel = this.#channels.get(id);
    if (!channel || channel.seq === null || channel.seq >= channel.last) return;
    // All of these were committed before they were heard of. What the answer lacks of them, nobody has.
    const { seq, last, round } = channel;
    const { data } = await this.request("GET", `/chat/channels/${id}/messages?after=${seq}&limit=${PAGE}`);
    if (this.#channels.get(id) !== channel) return;
    if (!this.#believes(channel, round)) {
      this.#holes.add(id);
      return;
    }
    let end = data.length ? 0 : last;
    for (const message of data) {
      end = Math.max(end, message.seq);
      if (message.seq > channel.seq) channel.hold(message);
      else this.#revise(id, channel, message);
    }
    if (channel.last > end) this.#holes.add(id);
    this.#advance(id, channel, end);
    this.#save();
  }

  // -- the rest ------------------------------------------------------------------------------

  #emit(kind, event) {
    for (const listener of [...(this.#listeners.get(kind) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        // One listener's mistake must not take a message from the others.
        console.error(`A listener of "${kind}" failed.`, error);
      }
    }
  }

  #save() {
    this.#storage?.save(this.positions);
  }

  #reset() {
    for (const channel of this.#channels.values()) channel.stopWaiting();
    this.#channels.clear();
    this.#named.clear();
    this.#holes.clear();
    this.#reads.clear();
    this.#lastNotificationId = null;
  }

  #restore({ userId = null, epoch = null, lastNotificationId = null, channels = {} }) {
    this.#user = userId;
    this.#epoch = epoch;
    this.#lastNotificationId = lastNotificationId;
    for (const [id, [seq, changeSeq]] of Object.entries(channels)) this.#channels.set(id, new Channel(seq, changeSeq));
  }
}

async function fetchJson(address, method, token, body) {
  const headers = { Accept: "application/json", Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(address, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
    return { status: answer.status, body: parsed(text), retryAfter };
  } catch (error) {
    return unreachable(error);
  }
}

function unreachable(cause) {
  throw Object.assign(new RequestFailed(0, { message: "The API does not answer." }), { cause });
}

// Something between us and the API may answer in its own words.
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// crypto.randomUUID is missing where a page came over plain HTTP from another machine.
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
