import { describe, expect, test } from "vitest";

import { describeProviderFaults } from "../../../../test/tools/provider-conformance.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import { fields, text } from "../base/shape.ts";
import { askJson } from "../tools/http/ask-http.ts";
import type { Provider } from "../tools/provider.ts";
import type { ProviderFault, ProviderUnderTest, ServiceAt } from "./provider-fault.ts";
import { faultsFor, providerFaults, tryProviderFault } from "./provider-faults.ts";

type Publishing = ProviderUnderTest<string, { id: string }>;
const published = fields({ id: text });

function toPublisher({ url, key, timeoutMs, bytesMax }: ServiceAt): Provider<string, { readonly id: string }> {
  return {
    name: "press",
    run: (page, { signal, idempotencyKey }) =>
      askJson(
        {
          provider: "press",
          url: `${url}/pages`,
          json: { page },
          headers: { "idempotency-key": idempotencyKey },
          secretHeaders: { authorization: `Bearer ${key}` },
          effect: "write",
          signal,
          timeoutMs,
          bytesMax,
        },
        published,
      ),
  };
}

const publishing: Publishing = {
  open: toPublisher,
  input: "a page",
  effect: "write",
  good: { body: { id: "p-1" } },
  answers: { kind: "json", needs: ["id"] },
};

describeProviderFaults("a provider that changes something, by POST", publishing);

test("there are more than forty faults, each with a name of its own", verifies("K4"), () => {
  const names = providerFaults.map((fault) => fault.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(40);
});

/** The names of the faults that a provider does not bear; all that end by themselves are tried, or only some. */
async function findFailures(open: Publishing["open"], some?: readonly string[]): Promise<readonly string[]> {
  const under = { ...publishing, open };
  const failures: string[] = [];
  for (const fault of faultsFor(under)) {
    if (some === undefined ? endsByItself(fault) : some.includes(fault.name))
      await tryProviderFault(under, fault).catch(() => failures.push(fault.name));
  }
  return failures;
}

// Whoever has no limits of its own would have to be waited for.
function endsByItself({ name, slow }: ProviderFault): boolean {
  return slow !== true && name !== "its answer has no end";
}

const nobodyListens = "nobody listens at the port";
const doneAll = "500: a fault of its own, after it did what it was asked";
const inSeconds = "429: asked to wait, in seconds";

/** As a good provider, but for what is changed in its error. */
function toChanged(change: (error: TuttiError, service: ServiceAt) => Error): Publishing["open"] {
  return (service) => {
    const good = toPublisher(service);
    return {
      name: good.name,
      async run(page, host) {
        try {
          return await good.run(page, host);
        } catch (error) {
          throw error instanceof TuttiError ? change(error, service) : error;
        }
      },
    };
  };
}

/** Asks again by itself when it fails. */
function toStubborn(service: ServiceAt): Provider<string, { readonly id: string }> {
  const good = toPublisher(service);
  return {
    name: "stubborn",
    run: async (page, host) => Promise.resolve(good.run(page, host)).catch(() => good.run(page, host)),
  };
}

describe("what is sloppy is found", { concurrent: true }, () => {
  test("a provider that takes what comes, and lets everything else out as it is", async () => {
    const failures = await findFailures(({ url }) => ({
      name: "sloppy",
      async run(page, { signal }) {
        const response = await fetch(url, { method: "POST", body: page, signal });
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is what is sloppy about it
        return (await response.json()) as { id: string };
      },
    }));
    const harmless = new Set([
      "packed, as it may be",
      "the right answer as another type of content",
      "an encoding that nobody knows",
      "a byte order mark before it",
    ]);
    expect(failures).toEqual(
      faultsFor(publishing)
        .filter(endsByItself)
        .map((fault) => fault.name)
        .filter((name) => !harmless.has(name)),
    );
  });

  test("an error that says that nothing happened, when it may have", async () => {
    const open = toChanged(({ code, message }) => new TuttiError(code, message, { effect: "none", hint: "" }));
    const may = [doneAll, "it hangs up after the request has arrived", "a field is missing"];
    expect(await findFailures(open, [nobodyListens, ...may])).toEqual(may);
  });

  test("an error that says that nobody knows, when certainly nothing happened", async () => {
    const open = toChanged(({ code, message }) => new TuttiError(code, message, { effect: "unknown", hint: "" }));
    expect(await findFailures(open, [nobodyListens, doneAll])).toEqual([nobodyListens]);
  });

  test("an error that forgets how long to wait, or has no hint", async () => {
    const open = toChanged(({ code, message, effect }) => new TuttiError(code, message, { effect, hint: "" }));
    expect(await findFailures(open, [inSeconds, doneAll])).toEqual([inSeconds]);
    const bare = toChanged(({ code, message, effect }) => new TuttiError(code, message, { effect }));
    expect(await findFailures(bare, [doneAll])).toEqual([doneAll]);
  });

  test("an error that shows the key", async () => {
    const open = toChanged(({ code, message, effect }, { key }) => {
      return new TuttiError(code, message, { effect, hint: "", cause: new Error(`with ${key}`) });
    });
    expect(await findFailures(open, [doneAll])).toEqual([doneAll]);
  });

  test("a provider that repeats by itself", async () => {
    expect(await findFailures(toStubborn, [doneAll, nobodyListens])).toEqual([doneAll]);
  });
});

test("a provider that never comes back is found, not waited for", async () => {
  const hanging: Publishing = {
    ...publishing,
    open: (service) => ({
      name: "hanging",
      run: (page, host) => (page === "a page" ? new Promise(() => {}) : toPublisher(service).run(page, host)),
    }),
  };
  const [fault] = providerFaults;
  if (fault === undefined) throw new Error("there are faults");
  await expect(tryProviderFault(hanging, fault, { patienceMs: 50 })).rejects.toThrow("never comes back");
});
