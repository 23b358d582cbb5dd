import { Hono, type Context } from "hono";

import { isTuttiError, TuttiError } from "../base/errors.ts";
import type { JsonSchema } from "../contracts/api/described.ts";
import type { RouteSpec } from "../contracts/api/route-spec.ts";
import { routes, type Operation } from "../contracts/api/routes.ts";
import type { AnsweredCommands } from "./answered.ts";
import type { Caller } from "./callers.ts";
import { commandHandlers } from "./command-handlers.ts";
import type { Call, Desk, Handlers } from "./desk.ts";
import { directingHandlers } from "./directing-handlers.ts";
import { checkOrigin, checkPlace, checkRights, safeHeaders, type Place } from "./guard.ts";
import { ledgerHandlers } from "./ledger-handlers.ts";
import { offerHandlers } from "./offer-handlers.ts";
import { peopleHandlers } from "./people-handlers.ts";
import { toProblem, type Problem } from "./problems.ts";
import type { RateLimit } from "./rate-limit.ts";
import { runHandlers } from "./run-handlers.ts";
import type { StaticFiles } from "./static-files.ts";

/** A command may bring a large input, but not without end. */
export const requestBytesMax = 8 * 1024 * 1024;
const keyPattern = /^[\w.~:@-]{8,200}$/u;

export interface AppParts {
  readonly desk: Desk;
  readonly commands: AnsweredCommands;
  readonly place: Place;
  /** Requests of each caller. */
  readonly requests: RateLimit;
  /** Wrong tokens from each address. */
  readonly guesses: RateLimit;
  readonly files: StaticFiles;
  /** The address that a request came from. */
  readonly addressOf: (context: Context) => string;
}

const handlers: Handlers = {
  ...runHandlers,
  ...commandHandlers,
  ...peopleHandlers,
  ...directingHandlers,
  ...ledgerHandlers,
  ...offerHandlers,
};

/** Every route of the table, behind the same checks in the same order: place, who, how often, rights, content. */
export function toApp(parts: AppParts): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    try {
      checkPlace(context.req.raw, parts.place);
      await next();
    } catch (error) {
      context.res = toProblemResponse(toProblem(error));
    }
    for (const [name, value] of Object.entries(safeHeaders)) context.res.headers.set(name, value);
    if (!context.res.headers.has("cache-control")) context.res.headers.set("cache-control", "no-store");
  });
  for (const operation of Object.keys(routes).filter(isOperation)) {
    const route: RouteSpec = routes[operation];
    app.on(route.method, route.path, (context) => answer(parts, operation, context));
  }
  app.get("/open/:word", (context) => openConsole(parts, context));
  app.all("/api/*", () => toProblemResponse(toProblem(toUnknownRoute(), 404)));
  app.get(
    "*",
    (context) => parts.files.answer(context.req.path) ?? toProblemResponse(toProblem(toUnknownRoute(), 404)),
  );
  app.onError((error) => toProblemResponse(toProblem(error)));
  app.notFound(() => toProblemResponse(toProblem(toUnknownRoute(), 404)));
  return app;
}

function isOperation(name: string): name is Operation {
  return Object.hasOwn(routes, name);
}

async function answer(parts: AppParts, operation: Operation, context: Context): Promise<Response> {
  const route: RouteSpec = routes[operation];
  const { desk } = parts;
  try {
    const caller = route.role === "anyone" ? nobody : await identify(parts, context);
    if (route.role === "anyone" && operation === "openSession") limitGuesses(parts, context);
    checkRights(caller, route);
    checkOrigin(context.req.raw, caller);
    if (route.isCommand === true && desk.draining.aborted)
      throw new TuttiError("SERVER_DRAINING", "the server is about to end", {
        hint: "Send it again in a moment.",
        retryAfterMs: 1_000,
      });
    const content = route.method === "POST" ? await readContent(context) : "";
    const query = toQuery(route, context);
    const body = route.body?.shape(content === "" ? {} : parseJson(content), "");
    const call = { caller, param: (name: string) => toParam(context, name), query, body, request: context.req.raw };
    if (route.isCommand !== true) return toResponse(await handle(operation, desk, { ...call, command: "" }));
    const key = readKey(context);
    const run = context.req.param("run");
    const command = { caller, operation, content: `${context.req.path}\n${content}`, key, run };
    const answered = await parts.commands.once(command, (request) =>
      performed(operation, desk, { ...call, command: request }),
    );
    return Response.json(answered.answer, { status: answered.status });
  } catch (error) {
    return toProblemResponse(toProblem(error, error instanceof BodyRefused ? error.status : undefined));
  }
}

/** Routes that need no token are asked by nobody in particular. */
const nobody: Caller = { name: "", role: "viewer", tenant: undefined, isByCookie: false };

// Each operation's handler takes that operation's call; TypeScript can't follow the index through the union.
function handle(operation: Operation, desk: Desk, call: Call | UncheckedCall): Promise<unknown> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- query and body were parsed by the shapes of this very operation
  const handler = handlers[operation] as (desk: Desk, call: Call | UncheckedCall) => Promise<unknown>;
  return handler(desk, call);
}

type UncheckedCall = Omit<Call, "query" | "body"> & { readonly query: unknown; readonly body: unknown };

/**
 * Performs a command. What it can't do for a reason that stays is its answer, so that it is the answer of every repetition; what may pass by
 * itself is thrown, and a repetition tries again.
 */
async function performed(
  operation: Operation,
  desk: Desk,
  call: UncheckedCall,
): Promise<{ readonly status: number; readonly answer: unknown }> {
  try {
    return { status: 200, answer: await handle(operation, desk, call) };
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status >= 500 || problem.status === 429) throw error;
    return problem;
  }
}

/** @throws TuttiError CALLER_UNKNOWN, CALLER_TOO_FAST, ISSUER_UNREACHABLE */
async function identify(parts: AppParts, context: Context): Promise<Caller> {
  let caller: Caller;
  try {
    caller = await parts.desk.callers.find(context.req.raw);
  } catch (error) {
    if (isTuttiError(error) && error.code === "CALLER_UNKNOWN") limitGuesses(parts, context);
    throw error;
  }
  limit(parts.requests, JSON.stringify([caller.tenant ?? null, caller.name]));
  return caller;
}

function limitGuesses({ guesses, addressOf }: AppParts, context: Context): void {
  limit(guesses, addressOf(context));
}

function limit(rate: RateLimit, name: string): void {
  const waitMs = rate.take(name);
  if (waitMs > 0)
    throw new TuttiError("CALLER_TOO_FAST", "too many requests", { hint: "Ask less often.", retryAfterMs: waitMs });
}

/** A refusal with a status of its own. */
class BodyRefused extends TuttiError {
  readonly status: number;

  constructor(status: number, message: string, hint: string) {
    super("USAGE", message, { hint });
    this.status = status;
  }
}

/** Reads no more than is allowed, whatever the request says of its length. @throws TuttiError USAGE */
async function readContent(context: Context): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of context.req.raw.body ?? []) {
    bytes += chunk.length;
    if (bytes > requestBytesMax)
      throw new BodyRefused(413, `a request may have ${requestBytesMax} bytes`, "Send less, or large values in parts.");
    chunks.push(chunk);
  }
  const type = context.req.header("content-type") ?? "";
  // A form of a foreign page can send text, but not JSON.
  if (bytes > 0 && !/^application\/json(?:;|$)/u.test(type))
    throw new BodyRefused(415, "the body is not said to be JSON", "Send it with Content-Type: application/json.");
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new TuttiError("INPUT_INVALID", "the body is not JSON", { cause: error });
  }
}

/** The query as its shape wants it: numbers are numbers. A name that the route does not know is a mistake. */
function toQuery({ query }: RouteSpec, context: Context): unknown {
  const given = context.req.query();
  const known: Readonly<Record<string, JsonSchema>> = query?.schema.properties ?? {};
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined)
    throw new TuttiError("USAGE", `the query has no "${unknown}"`, {
      hint: `It takes: ${Object.keys(known).join(", ")}.`,
    });
  const values = Object.entries(given).map(([name, value]) => {
    const isNumber = known[name]?.type === "integer" || known[name]?.type === "number";
    return [name, isNumber && /^-?\d+(?:\.\d+)?$/u.test(value) ? Number(value) : value];
  });
  return query?.shape(Object.fromEntries(values), "");
}

function toParam(context: Context, name: string): string {
  return context.req.param(name) ?? "";
}

/** @throws TuttiError INPUT_INVALID */
function readKey(context: Context): string {
  const key = context.req.header("idempotency-key") ?? "";
  if (keyPattern.test(key)) return key;
  throw new TuttiError("INPUT_INVALID", "the command has no usable Idempotency-Key", {
    hint: "Send a new random one with each command, and the same one when you repeat it: 8 to 200 letters, digits and . ~ : @ - _.",
  });
}

function toResponse(answered: unknown): Response {
  return answered instanceof Response ? answered : Response.json(answered);
}

function toProblemResponse({ status, answer: told, retryAfterMs }: Problem): Response {
  const headers = retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
  return Response.json(told, { status, headers });
}

function toUnknownRoute(): TuttiError {
  return new TuttiError("USAGE", "there is nothing at this address", {
    hint: "`GET /api/openapi.json` says what there is.",
  });
}

/** What `tutti dev` prints: opens a session once, and leads to the console. */
async function openConsole({ desk }: AppParts, context: Context): Promise<Response> {
  try {
    const { cookie } = await desk.callers.openSession(context.req.param("word") ?? "");
    return new Response(null, { status: 303, headers: { location: "/", "set-cookie": cookie } });
  } catch (error) {
    return toProblemResponse(toProblem(error));
  }
}
