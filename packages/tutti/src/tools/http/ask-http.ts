import type { LookupFunction } from "node:net";

import { describeThrown, isTuttiError, TuttiError } from "../../base/errors.ts";
import type { Shape } from "../../base/shape.ts";
import { ExchangeFault } from "./exchange-fault.ts";
import { exchange, type HttpAnswer } from "./exchange.ts";
import { toFaultError, toStatusError, type Asked, type Explained } from "./http-errors.ts";
import { acceptedPackings } from "./inflate.ts";

/** A question to a provider over HTTP. */
export interface HttpRequest {
  /** Who is asked, in a word for messages: `brave`. */
  readonly provider: string;
  readonly url: URL | string;
  /** POST when there is a body, else GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers with keys in them. No message ever shows their values, not even when the provider repeats them. */
  readonly secretHeaders?: Readonly<Record<string, string>>;
  /** Other values that no message may show. */
  readonly secrets?: readonly string[];
  readonly body?: string | Uint8Array;
  /** A body that is sent as JSON. */
  readonly json?: unknown;
  /** `write`: asking may change something, so when it is not known what happened, the error says so. */
  readonly effect: "read" | "write";
  readonly signal: AbortSignal;
  /** For all of it; 20 s by default. */
  readonly timeoutMs?: number | undefined;
  /** The largest answer, unpacked; 5 MB by default. */
  readonly bytesMax?: number | undefined;
  /** Whether an answer with another status than 200 to 299 is one that was asked for all the same: 404, where a thing may be missing. */
  readonly accepts?: (answer: HttpAnswer) => boolean;
  /** Finds the address of the host; the system's way by default. */
  readonly lookup?: LookupFunction | undefined;
  /** What an answer that is no success means with this provider, where that differs from what its status says. */
  readonly explain?: (answer: HttpAnswer) => Explained | undefined;
}

const httpLimits = { timeoutMs: 20_000, bytesMax: 5_000_000 } as const;

/**
 * Asks once, without following redirects, and returns an answer with a status of 200 to 299, or one that the request accepts.
 * @throws TuttiError of the closed vocabulary for everything else; its `effect` says whether something may have happened.
 */
export async function askHttp(request: HttpRequest): Promise<HttpAnswer> {
  const asked = toAsked(request);
  let answer: HttpAnswer;
  try {
    answer = await exchange({
      url: asked.url,
      method: asked.method,
      headers: {
        "user-agent": "tutti",
        "accept-encoding": acceptedPackings,
        ...(request.json === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers,
        ...request.secretHeaders,
      },
      body: request.json === undefined ? request.body : JSON.stringify(request.json),
      signal: request.signal,
      timeoutMs: request.timeoutMs ?? httpLimits.timeoutMs,
      bytesMax: request.bytesMax ?? httpLimits.bytesMax,
      lookup: request.lookup,
    });
  } catch (error) {
    throw error instanceof ExchangeFault ? toFaultError(error, asked) : error;
  }
  if (answer.status >= 200 && answer.status < 300) return answer;
  if (request.accepts?.(answer) === true) return answer;
  throw toStatusError(answer, asked, request.explain?.(answer));
}

/**
 * Asks once for JSON of a given shape.
 * @throws TuttiError as `askHttp`, and TOOL_ANSWER_INVALID when the answer is no JSON or has another shape.
 */
export async function askJson<Value>(request: HttpRequest, shape: Shape<Value>): Promise<Value> {
  const answer = await askHttp({ ...request, headers: { accept: "application/json", ...request.headers } });
  let parsed: unknown;
  try {
    parsed = parseJson(answer.body);
  } catch {
    throw toUnreadable(request, "it sent something that is not JSON");
  }
  try {
    return shape(parsed, "");
  } catch (error) {
    // A shape may know what an answer means that has another form; whatever else it throws is about the form.
    throw isTuttiError(error)
      ? error
      : toUnreadable(request, `it sent another answer than expected: ${describeThrown(error)}`);
  }
}

function toUnreadable(request: HttpRequest, why: string): TuttiError {
  return toFaultError(new ExchangeFault("unreadable", why), toAsked(request));
}

/** JSON from bytes, which are UTF-8 whatever a header says. Throws when they are not, or no JSON. */
function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

function toAsked(request: HttpRequest): Asked {
  const secrets = [...Object.values(request.secretHeaders ?? {}), ...(request.secrets ?? [])];
  const hasBody = request.body !== undefined || request.json !== undefined;
  return {
    provider: request.provider,
    url: toUrl(request),
    method: request.method ?? (hasBody ? "POST" : "GET"),
    effect: request.effect,
    // A header is `Bearer …`, and a provider that repeats the key leaves that word out.
    secrets: secrets.flatMap((secret) => [secret, secret.replace(/^\w+\s+/, "")]),
  };
}

function toUrl({ url, provider }: HttpRequest): URL {
  try {
    const parsed = new URL(url);
    if (parsed.protocol === "https:" || parsed.protocol === "http:") return parsed;
  } catch (error) {
    throw new TuttiError("TOOL_REFUSED", `${provider}: its address is none: ${describeThrown(error)}`, {
      hint: "Check the base URL in the configuration.",
    });
  }
  throw new TuttiError("TOOL_REFUSED", `${provider}: its address is neither http nor https`, {
    hint: "Check the base URL in the configuration.",
  });
}
