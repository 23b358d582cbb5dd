// The outside world: an HTTP server that does what it is told, remembers it, and sometimes leaves its caller in the dark.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { openChance } from "../crash/tick-clock.ts";
import { delay } from "./delay.ts";
import type { Asked, RecorderEvent } from "./recorder-client.ts";

const refusesShare = 0.08;
const darkBeforeShare = 0.05;
const darkAfterShare = 0.06;
const slowMaxMs = 12;

const chance = openChance(Number(process.argv[2] ?? "1"));
const standing = new Map<string, string>();
const events: RecorderEvent[] = [];
const acting = new Map<string, Promise<void>>();

const server = createServer((request, response) => {
  // A caller that was killed is not there any more to be told.
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`);
});
process.stdin.on("end", () => process.exit(0)).resume();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  const asked = JSON.parse(text) as Asked; // eslint-disable-line typescript/no-unsafe-type-assertion -- only our own client calls
  switch (asked.verb) {
    case "act":
      await act(asked, response);
      return;
    case "receipt":
      await acting.get(asked.key);
      send(response, 200, { receipt: standing.get(asked.key) });
      return;
    case "take-back":
      takeBack(asked.key, response);
      return;
    case "events":
      send(response, 200, { events: events.slice(asked.after), standing: Object.fromEntries(standing) });
      return;
    case "quiet":
      await untilQuiet();
      send(response, 200, {});
  }
}

async function act(asked: Extract<Asked, { readonly verb: "act" }>, response: ServerResponse): Promise<void> {
  const luck = chance();
  if (luck < refusesShare) {
    send(response, 503, {});
    return;
  }
  if (luck < refusesShare + darkBeforeShare) {
    response.destroy();
    return;
  }
  const done = delay(chance() * slowMaxMs).then(() => record(asked));
  acting.set(asked.key, done);
  await done;
  if (luck < refusesShare + darkBeforeShare + darkAfterShare) {
    response.destroy();
    return;
  }
  await delay(chance() * slowMaxMs);
  send(response, 200, { receipt: standing.get(asked.key) ?? `receipt of ${asked.key}` });
}

function record({ key, once }: { readonly key: string; readonly once: boolean }): void {
  events.push({ kind: "act", key, once, isDuplicate: once && standing.has(key) });
  standing.set(key, `receipt of ${key}`);
}

function takeBack(key: string, response: ServerResponse): void {
  if (chance() < refusesShare) {
    send(response, 503, {});
    return;
  }
  events.push({ kind: "take-back", key, once: false, isDuplicate: false });
  standing.delete(key);
  if (chance() < darkAfterShare) response.destroy();
  else send(response, 200, {});
}

/** Until everything that a dead caller sent has been read and done: connections are taken in the order in which they were made. */
async function untilQuiet(): Promise<void> {
  for (;;) {
    await Promise.all(acting.values());
    const connections = await new Promise<number>((resolve) => {
      server.getConnections((_, count) => resolve(count));
    });
    if (connections <= 1) {
      acting.clear();
      return;
    }
    await delay(5);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
