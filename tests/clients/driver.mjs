// Drives the client in JavaScript for the tests: a line of JSON in is a call, a line of JSON out is an event.
import { createInterface } from "node:readline";
import { CoreRealtime } from "../../clients/javascript/core-realtime.js";

const KINDS = "state message change channel read typing presence notification counts refresh error".split(" ");
const say = (type, event) => process.stdout.write(`${JSON.stringify({ type, ...event })}\n`);
let client = null;

const calls = {
  make({ positions, ...options }) {
    let number = 1;
    const getToken = async ({ fresh }) => {
      if (fresh) number += 1;
      say("token", { fresh });
      return `token ${number}`;
    };
    const kept = positions && { load: () => positions, save: (now) => say("positions", { now }) };
    client = new CoreRealtime({ ...options, getToken, positions: kept });
    for (const kind of KINDS) client.on(kind, (event) => say(kind, event));
  },
  async send({ args: [channelId, content, options] }) {
    try {
      say("sent", { message: await client.send(channelId, content, options) });
    } catch (error) {
      say("refused", { status: error.status, code: error.code });
    }
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { call, ...rest } = JSON.parse(line);
  if (calls[call]) calls[call](rest);
  else client[call](...(rest.args ?? []));
  say("called", { call });
});
