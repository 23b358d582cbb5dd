import { isDeepStrictEqual } from "node:util";

import { describeThrown, isTuttiError, toStoredError, type TuttiError } from "../base/errors.ts";
import { bodyFaults } from "./body-faults.ts";
import type {
  FaultExpectation,
  FaultSetting,
  FaultyService,
  ProviderFault,
  ProviderUnderTest,
} from "./provider-fault.ts";
import { openProviderServer, type ProviderAnswer, type ProviderServer } from "./provider-server.ts";
import { statusFaults } from "./status-faults.ts";
import { makeTinyCertificate } from "./tiny-certificate.ts";
import { toToolHost } from "./tool-host.ts";
import { transportFaults } from "./transport-faults.ts";

/** Everything that can go wrong with a service over HTTP, by name. */
export const providerFaults: readonly ProviderFault[] = [...statusFaults, ...transportFaults, ...bodyFaults];

/** The faults that concern one provider. */
export function faultsFor<Input, Output>(under: ProviderUnderTest<Input, Output>): readonly ProviderFault[] {
  return providerFaults.filter(({ only }) => {
    if (only === "json") return under.answers.kind === "json";
    if (only === "stays") return under.followsRedirects !== true;
    return only !== "empties" || under.empty !== undefined;
  });
}

/** What a provider is told to keep. Where nothing but its limit ends a call, it is one that can be waited for in a test. */
const timeoutMs = { slow: 1_000, usual: 8_000 } as const;
const bytesMax = 1_000_000;
/** Whoever has not come back by then never will. */
const patienceDefaultMs = 10_000;
const key = "sk-planted-0123456789abcdef0123456789";

/**
 * Tries one fault on one provider, over real HTTP on this machine.
 * @throws Error that says what the provider should have done.
 */
export async function tryProviderFault<Input, Output>(
  under: ProviderUnderTest<Input, Output>,
  fault: ProviderFault,
  { patienceMs = patienceDefaultMs }: { readonly patienceMs?: number } = {},
): Promise<void> {
  const good = await callGood(under, patienceMs);
  const outcome = await callFaulty(under, fault, patienceMs);
  const complaint = findComplaint(under, { fault, outcome, good });
  if (complaint !== undefined) throw new Error(`${fault.name}: ${complaint}`);
}

interface Outcome {
  /** How it ended: with an output, with whatever was thrown, or not at all. */
  readonly ended:
    | { readonly kind: "output"; readonly output: unknown }
    | { readonly kind: "thrown"; readonly thrown: unknown }
    | { readonly kind: "never" };
  /** How often the service was asked. */
  readonly requests: number;
}

async function callGood<Input, Output>(under: ProviderUnderTest<Input, Output>, patienceMs: number): Promise<unknown> {
  const service: FaultyService = { kind: "answers", answer: ({ good }) => ({ kind: "answer", ...good }) };
  const { ended } = await callFaulty(under, { service }, patienceMs);
  if (ended.kind === "output") return ended.output;
  const what = ended.kind === "thrown" ? `throws ${describeThrown(ended.thrown)}` : "never comes back";
  throw new Error(`with the right answer, the provider ${what}`);
}

async function callFaulty<Input, Output>(
  under: ProviderUnderTest<Input, Output>,
  { service, slow }: Pick<ProviderFault, "service" | "slow">,
  patienceMs: number,
): Promise<Outcome> {
  const caller = new AbortController();
  const server = await openFaultyServer(under, service, () => caller.abort(new Error("the caller left")));
  try {
    const url = toUrl(service, server.url);
    if (service.kind === "nobody-listens") await server.close();
    if (service.kind === "caller-leaves" && service.when === "before") caller.abort(new Error("the caller left"));
    const provider = under.open({ url, key, bytesMax, timeoutMs: slow === true ? timeoutMs.slow : timeoutMs.usual });
    const ended = await inPatience(() => provider.run(under.input, toToolHost({ signal: caller.signal })), patienceMs);
    return { ended, requests: server.requests.length };
  } finally {
    await server.close();
  }
}

function openFaultyServer<Input, Output>(
  under: ProviderUnderTest<Input, Output>,
  service: FaultyService,
  leave: () => void,
): Promise<ProviderServer> {
  const setting: FaultSetting = {
    good: under.good,
    empty: under.empty,
    key,
    needs: under.answers.kind === "json" ? under.answers.needs : [],
  };
  const answer = (): ProviderAnswer => {
    if (service.kind === "answers") return service.answer(setting);
    if (service.kind !== "caller-leaves") return { kind: "answer", ...under.good };
    leave();
    return { kind: "hang" };
  };
  return openProviderServer(answer, {
    ...(service.kind === "self-signed" ? { certificate: makeTinyCertificate() } : {}),
    ...(service.kind === "drops" ? { onConnection: "drop" } : {}),
  });
}

function toUrl(service: FaultyService, url: string): string {
  if (service.kind === "no-such-host") return "http://nobody.invalid";
  return service.kind === "not-secure" ? url.replace("http:", "https:") : url;
}

async function inPatience(call: () => unknown, patienceMs: number): Promise<Outcome["ended"]> {
  const { promise: never, resolve } = Promise.withResolvers<Outcome["ended"]>();
  const timer = setTimeout(() => resolve({ kind: "never" }), patienceMs);
  const work = Promise.resolve()
    .then(call)
    .then(
      (output): Outcome["ended"] => ({ kind: "output", output }),
      (thrown: unknown): Outcome["ended"] => ({ kind: "thrown", thrown }),
    );
  try {
    return await Promise.race([work, never]);
  } finally {
    clearTimeout(timer);
  }
}

interface Seen {
  readonly fault: ProviderFault;
  readonly outcome: Outcome;
  readonly good: unknown;
}

function findComplaint<Input, Output>(under: ProviderUnderTest<Input, Output>, seen: Seen): string | undefined {
  const { ended, requests } = seen.outcome;
  const { requests: requestsMax = 1 } = under;
  if (requests > requestsMax && under.followsRedirects !== true)
    return `it asked ${requests} times, and ${requestsMax} will do; one call is one attempt, repeating is the engine's business`;
  switch (ended.kind) {
    case "never":
      return `it did not come back`;
    case "output":
      return findOutputComplaint(seen, ended.output);
    case "thrown":
      return findErrorComplaint(under.effect, seen.fault.expect, ended.thrown);
  }
}

function findOutputComplaint({ fault, good }: Seen, output: unknown): string | undefined {
  switch (fault.expect.kind) {
    case "error":
      return `it returned ${JSON.stringify(output)} as if all were well, and should throw ${fault.expect.codes.join(" or ")}`;
    case "empty":
      return isDeepStrictEqual(output, good) ? "it returned something though nothing was found" : undefined;
    case "output":
      return isDeepStrictEqual(output, good)
        ? undefined
        : `it returned ${JSON.stringify(output)}, not the same as without the fault`;
  }
}

function findErrorComplaint(effect: "read" | "write", expect: FaultExpectation, thrown: unknown): string | undefined {
  if (!isTuttiError(thrown)) return `it threw something that is not a TuttiError: ${describeThrown(thrown)}`;
  const stored = JSON.stringify(toStoredError(thrown));
  if (stored.includes(key)) return `its error shows the key: ${stored.replaceAll(key, "THE-KEY")}`;
  if (thrown.hint === undefined && expect.kind === "error") return `its error ${thrown.code} has no hint`;
  if (effect === "read" && thrown.effect === "done")
    return `its error ${thrown.code} says that a read changed something`;
  switch (expect.kind) {
    case "output":
      if (expect.mayFail !== true) return `it threw ${thrown.code}: ${thrown.message}; the answer is a right one`;
      return thrown.code === "TOOL_ANSWER_INVALID" ? undefined : `it threw ${thrown.code}, which says something else`;
    case "empty":
      return thrown.code === "TOOL_EMPTY"
        ? undefined
        : `it threw ${thrown.code} though nothing failed: ${thrown.message}`;
    case "error":
      return findMismatch(effect, expect, thrown);
  }
}

function findMismatch(
  effect: "read" | "write",
  expect: FaultExpectation & { readonly kind: "error" },
  error: TuttiError,
): string | undefined {
  if (!expect.codes.includes(error.code))
    return `it threw ${error.code} (${error.message}), and should throw ${expect.codes.join(" or ")}`;
  if (effect === "write" && !expect.effects.includes(error.effect))
    return `its ${error.code} says "${error.effect}" of the effect, and should say ${expect.effects.join(" or ")}`;
  if (expect.retryAfterMs === undefined) return undefined;
  const wait = error.retryAfterMs ?? "none";
  return wait === expect.retryAfterMs
    ? undefined
    : `it says to wait ${wait} ms, and the service said ${expect.retryAfterMs}`;
}
