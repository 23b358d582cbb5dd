import type { Described } from "../contracts/api/described.ts";
import type { RouteSpec } from "../contracts/api/route-spec.ts";
import { routes, type AnswerOf, type BodyOfRoute, type Operation, type QueryOf } from "../contracts/api/routes.ts";
import { ClientError, toClientError, toUnreachable } from "./client-error.ts";
import { pause } from "./pause.ts";

/** Where the server is, and who asks. */
export interface ClientOptions {
  /** The server's address. In a page that it serves itself, "" will do. */
  readonly url: string;
  /** Made by `tutti token create`. Without one the browser's cookie counts. */
  readonly token?: string | undefined;
  /** Another fetch than the global one. */
  readonly fetch?: typeof fetch | undefined;
}

export interface Sending<Name extends Operation> {
  /** The parts of the path that begin with a colon. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: QueryOf<Name>;
  readonly body?: BodyOfRoute<Name>;
  /** A command's; a new random one by default. Repeat a command with the same key, and it is done once. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How long it waits before it asks again, when there was no answer or the server asks to wait. */
const retryDelaysMs = [200, 1_000, 3_000] as const;
const requestTimeoutMs = 130_000;

/** Sends a request; a repetition of a command carries the same key, so it is done once. @throws ClientError */
export async function send<Name extends Operation>(
  options: ClientOptions,
  operation: Name,
  sending: Sending<Name> = {},
): Promise<AnswerOf<Name>> {
  const { answer } = routes[operation];
  if (typeof answer === "string") throw new TypeError(`${operation} is not answered in JSON`);
  const response = await sendRaw(options, operation, sending);
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each operation's answer has its own shape; the index can't be followed
    return (answer as Described<AnswerOf<Name>>).shape(await response.json(), "");
  } catch (cause) {
    throw new ClientError({
      status: response.status,
      code: "ANSWER_INVALID",
      message: `the answer to ${operation} can't be read`,
      cause,
    });
  }
}

/** The same for what is not JSON. @throws ClientError */
export async function sendRaw<Name extends Operation>(
  options: ClientOptions,
  operation: Name,
  sending: Sending<Name> = {},
): Promise<Response> {
  const route: RouteSpec = routes[operation];
  const { idempotencyKey = crypto.randomUUID(), signal } = sending;
  const headers = new Headers({ accept: "application/json" });
  if (options.token !== undefined) headers.set("authorization", `Bearer ${options.token}`);
  if (route.isCommand === true) headers.set("idempotency-key", idempotencyKey);
  if (route.method === "POST") headers.set("content-type", "application/json");
  const body = route.method === "POST" ? JSON.stringify(sending.body ?? {}) : null;
  const url = `${options.url.replace(/\/$/u, "")}${toPath(route, sending.params ?? {})}${toSearch(sending.query)}`;
  const ask = options.fetch ?? fetch;
  for (let tries = 0; ; tries++) {
    const limit = AbortSignal.timeout(requestTimeoutMs);
    const stop = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    try {
      const response = await ask(url, {
        method: route.method,
        headers,
        body,
        signal: stop,
        credentials: "same-origin",
      });
      if (response.ok) return response;
      throw await toClientError(response);
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = thrown instanceof ClientError ? thrown : toUnreachable(thrown);
      const delayMs = retryDelaysMs[tries];
      if (!error.mayPass || delayMs === undefined) throw error;
      await pause(error.retryAfterMs ?? delayMs, signal);
    }
  }
}

function toPath(route: RouteSpec, params: Readonly<Record<string, string>>): string {
  return route.path.replaceAll(/:(\w+)/gu, (_, name: string) => {
    const value = params[name];
    if (value === undefined || value === "") throw new TypeError(`${route.path} needs ${name}`);
    return encodeURIComponent(value);
  });
}

function toSearch(query: unknown): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (typeof value === "string" || typeof value === "number") search.set(name, String(value));
  }
  return search.size === 0 ? "" : `?${search.toString()}`;
}
