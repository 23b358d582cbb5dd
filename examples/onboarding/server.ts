import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** What a request meets. `…-after` has done what was asked and does not say so; `late` would do it when nobody waits any more. */
export const faultKinds = [
  "busy",
  "cut-before",
  "error-after",
  "cut-after",
  "hang-after",
  "late",
  "slow",
  "refuse",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** The nth request for one thing, from 1, meets this. */
export interface Fault {
  readonly on: "records" | "mails" | "tasks" | "look";
  readonly nth: number;
  readonly kind: FaultKind;
}

/** A customer system and a mail server of one customer: what they hold, and what they were asked. */
export interface World {
  readonly records: Map<string, unknown>;
  readonly mails: { readonly id: string; readonly reference: string; readonly content: unknown }[];
  readonly tasks: { readonly id: string; readonly reference: string; readonly content: unknown }[];
  readonly faults: readonly Fault[];
  readonly met: Fault[];
  readonly asked: Map<Fault["on"], number>;
  onRequest: () => void;
}

export interface Services {
  readonly url: string;
  /** A world of its own under `<url>/<name>`. */
  open(name: string, faults: readonly Fault[]): World;
  close(): void;
}

const slowMs = 15;

/** Serves the customer system and the mail server on the loopback address. They know no idempotency keys: two requests are two mails. */
export async function openServices(): Promise<Services> {
  const worlds = new Map<string, World>();
  const server = createServer((request, response) => {
    void answer(worlds, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has such an address
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    open(name, faults) {
      const world: World = {
        records: new Map(),
        mails: [],
        tasks: [],
        faults,
        met: [],
        asked: new Map(),
        onRequest() {},
      };
      worlds.set(name, world);
      return world;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answer(
  worlds: ReadonlyMap<string, World>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://127.0.0.1");
  const [name = "", kind = "", ...rest] = pathname.slice(1).split("/").map(decodeURIComponent);
  const world = worlds.get(name);
  if (world === undefined || (kind !== "records" && kind !== "mails" && kind !== "tasks")) return send(response, 404);
  const content = request.method === "PUT" || request.method === "POST" ? await json(request) : undefined;
  const deadline = Number(request.headers["x-deadline"] ?? Number.POSITIVE_INFINITY);
  const reference = searchParams.get("reference") ?? rest.join("/");
  const fault = meet(world, request.method === "GET" ? "look" : kind);
  world.onRequest();
  const act = (): { readonly status: number; readonly body?: unknown } => {
    if (Date.now() > deadline) return { status: 408 };
    if (request.method === "GET") return look(world, kind, reference);
    if (kind === "records") return keep(world, reference, content);
    const id = `${kind}-${world[kind].length + 1}`;
    world[kind].push({ id, reference, content });
    return { status: 200, body: { id } };
  };
  if (fault === "busy") return send(response, 503);
  if (fault === "refuse") return send(response, kind === "records" && content !== undefined ? 422 : 503);
  if (fault === "cut-before") return void response.destroy();
  if (fault === "late") await sleep(Math.max(0, Math.min(1_000, deadline - Date.now() + slowMs)));
  if (fault === "slow") await sleep(slowMs);
  const { status, body } = act();
  if (fault === "error-after") return send(response, 500);
  if (fault === "cut-after") return void response.destroy();
  if (fault !== "hang-after") send(response, status, body);
}

function meet(world: World, on: Fault["on"]): FaultKind | undefined {
  const nth = (world.asked.get(on) ?? 0) + 1;
  world.asked.set(on, nth);
  const fault = world.faults.find((each) => each.on === on && each.nth === nth);
  if (fault !== undefined) world.met.push(fault);
  return fault?.kind;
}

function look(world: World, kind: "records" | "mails" | "tasks", reference: string): ReturnType<typeof keep> {
  const found =
    kind === "records" ? world.records.has(reference) : world[kind].find((each) => each.reference === reference);
  if (found === undefined || found === false) return { status: 404 };
  return { status: 200, body: { id: found === true ? reference : found.id } };
}

function keep(world: World, at: string, content: unknown): { readonly status: number; readonly body?: unknown } {
  if (content === undefined) world.records.delete(at);
  else world.records.set(at, content);
  return { status: 200, body: { id: at } };
}

function send(response: ServerResponse, status: number, body: unknown = {}): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
