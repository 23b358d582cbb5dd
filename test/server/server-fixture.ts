import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished } from "vitest";
import { z } from "zod";

import { toToolFlows } from "../../packages/tutti/src/cli/tool-flow.ts";
import type { Role } from "../../packages/tutti/src/contracts/api/commands.ts";
import type { RouteSpec } from "../../packages/tutti/src/contracts/api/route-spec.ts";
import { routes, type Operation } from "../../packages/tutti/src/contracts/api/routes.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { Tutti, TuttiOptions } from "../../packages/tutti/src/engine/tutti.ts";
import { document } from "../../packages/tutti/src/flow/document.ts";
import { flow, signal } from "../../packages/tutti/src/flow/flow.ts";
import { openServer, type ServerOptions, type TuttiServer } from "../../packages/tutti/src/server/open-server.ts";
import { toOpenApi } from "../../packages/tutti/src/server/openapi.ts";
import { openTokens, type Tokens } from "../../packages/tutti/src/server/tokens.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";

export const send = tool({
  name: "mail.send",
  does: "Sends a mail.",
  input: z.object({ to: z.string() }),
  output: z.object({ sent: z.string() }),
  effect: "once",
  key: ({ to }) => to,
  run: async ({ to }) => ({ sent: to }),
});

const stock = document({ name: "stock", value: z.object({ left: z.number() }), initial: { left: 5 } });
const go = signal({ name: "go", payload: z.object({ word: z.string() }) });

/** Does a bit of everything that the interface shows. */
export const errand = flow({
  name: "errand",
  input: z.object({ to: z.string(), secret: z.string().optional(), waits: z.boolean().optional() }),
  output: z.object({ sent: z.string(), long: z.string() }),
  run: async (run, { to, secret = "", waits = false }) => {
    const long = await run.step("write", async () => `${secret}${"x".repeat(100_000)}`);
    await run.document(stock, to).change(({ left }) => ({ left: left - 1 }));
    run.note(`about to send ${secret}`);
    run.record("message-sent", { from: "writer", to: "sender", intent: `send ${secret}`, bytes: 10 });
    run.record("decision-made", {
      about: "how",
      chosen: "mail",
      why: `cheap ${secret}`,
      alternatives: [{ name: "letter", why: "slow" }],
    });
    if (waits) await run.wait(go);
    const { sent } = await run.call(send, { to });
    return { sent, long };
  },
});

export const fails = flow({
  name: "fails",
  input: z.object({}),
  output: z.object({}),
  run: async (run) => {
    await run.step("work", async () => {
      throw new Error("no luck");
    });
    return {};
  },
});

/** Waits for somebody's yes. */
export const asks = flow({
  name: "asks",
  input: z.object({ what: z.string() }),
  output: z.boolean(),
  run: async (run, { what }) => (await run.approve(`Send ${what}?`, { details: { what } })).approved,
});

const isOperation = (name: string): name is Operation => Object.hasOwn(routes, name);
export const operations: readonly Operation[] = Object.keys(routes).filter(isOperation);

/** A server on a real port over a real file, with a client that checks every answer against the OpenAPI document. */
export interface Stand {
  readonly tutti: Tutti;
  readonly server: TuttiServer;
  readonly tokens: Tokens;
  readonly folder: string;
  token(role: Role, tenant?: string): string;
  ask(operation: Operation, asking: Asking): Promise<Answered>;
  /** The same file, after its engine and server were closed. */
  again(options?: StandOptions): Promise<Stand>;
  close(): Promise<void>;
}

export interface Asking {
  readonly token?: string | undefined;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
  readonly headers: Headers;
}

type StandOptions = Partial<ServerOptions> & { readonly engine?: Partial<TuttiOptions> };

/** A folder of its own, removed after the test with everything that was opened on it. */
export async function openStand(options: StandOptions = {}): Promise<Stand> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-server-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return openOn(folder, options);
}

async function openOn(folder: string, { engine, flows: more = [], ...options }: StandOptions): Promise<Stand> {
  const tools = [send];
  const flows = [errand, fails, asks, ...more, ...toToolFlows(tools)];
  const tutti = await openTutti({ flows, tools, ledger: join(folder, "ledger.db"), durability: "process", ...engine });
  const tokens = openTokens(join(folder, "tokens.json"));
  const server = await openServer(tutti, { flows, tools, tokens, ...options });
  const made = new Map<string, string>();
  let isOpen = true;
  const stand: Stand = {
    tutti,
    server,
    tokens,
    folder,
    token(role, tenant) {
      const name = tenant === undefined ? role : `${role} of ${tenant}`;
      const token = made.get(name) ?? tokens.create({ name, role, tenant, createdAt: 1 }).token;
      made.set(name, token);
      return token;
    },
    ask: (operation, asking) => ask(stand, operation, asking),
    async again(later = {}) {
      await stand.close();
      return openOn(folder, later);
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await server.close();
      await tutti.close();
    },
  };
  onTestFinished(() => stand.close());
  return stand;
}

async function ask(stand: Stand, operation: Operation, asking: Asking): Promise<Answered> {
  const route: RouteSpec = routes[operation];
  const path = route.path.replaceAll(/:(\w+)/gu, (_, name: string) =>
    encodeURIComponent(asking.params?.[name] ?? "none"),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(asking.query ?? {})) search.set(name, String(value));
  const response = await fetch(`${stand.server.url}${path}?${search.toString()}`, {
    method: route.method,
    headers: {
      ...(asking.token === undefined ? {} : { authorization: `Bearer ${asking.token}` }),
      ...(route.method === "POST" ? { "content-type": "application/json" } : {}),
      ...(route.isCommand === true ? { "idempotency-key": asking.key ?? crypto.randomUUID() } : {}),
      ...asking.headers,
    },
    ...(route.method === "POST" ? { body: JSON.stringify(asking.body ?? {}) } : {}),
    redirect: "manual",
    ...(route.answer === "events" ? { signal: AbortSignal.timeout(5_000) } : {}),
  });
  if (response.ok && route.answer === "events") {
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    await reader?.cancel();
    return {
      status: response.status,
      text: new TextDecoder().decode(value),
      json: undefined,
      headers: response.headers,
    };
  }
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const json: unknown = isJson ? JSON.parse(text) : undefined;
  if (isJson) checkAnswer(operation, response.status, json);
  return { status: response.status, text, json, headers: response.headers };
}

const documentShape = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.record(z.string(), z.unknown()) }))),
  components: z.object({ schemas: z.object({ Error: z.record(z.string(), z.unknown()) }) }),
});
const openApi = documentShape.parse(toOpenApi());
const jsonContent = z.object({
  content: z.object({ "application/json": z.object({ schema: z.record(z.string(), z.unknown()) }) }),
});
const schemas = new Map<string, z.ZodType>();

/** The answer must be what the OpenAPI document says, with nothing more in it; a schema library of others judges. */
function checkAnswer(operation: Operation, status: number, json: unknown): void {
  const isGood = status === 200;
  const name = isGood ? operation : "Error";
  let schema = schemas.get(name);
  if (schema === undefined) {
    const { path, method }: RouteSpec = routes[operation];
    const described = openApi.paths[path.replaceAll(/:(\w+)/gu, "{$1}")]?.[method.toLowerCase()];
    const given = isGood
      ? jsonContent.parse(described?.responses["200"]).content["application/json"].schema
      : openApi.components.schemas.Error;
    schema = z.fromJSONSchema({ $schema: "https://json-schema.org/draft/2020-12/schema", ...given });
    schemas.set(name, schema);
  }
  if (operation === "describe" && isGood) return;
  const problem = schema.safeParse(json);
  expect(problem.success ? undefined : `${operation} ${status}: ${problem.error.message}`).toBeUndefined();
}
