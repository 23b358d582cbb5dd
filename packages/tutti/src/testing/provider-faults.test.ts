import { describe, expect, test } from "vitest";

import { describeProviderFaults } from "../../../../test/tools/provider-conformance.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import { fields, text } from "../base/shape.ts";
import { askJson } from "../tools/http/ask-http.ts";
import type { Provider } from "../tools/provider.ts";
import type { ProviderUnderTest, ServiceAt } from "./provider-fault.ts";
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

/** The names of the faults that a provider does not bear. */
async function findFailures(open: Publishing["open"]): Promise<readonly string[]> {
  const under = { ...publishing, open };
  const failures = new Set<string>();
  const left = [...faultsFor(under)];
  const tryOn = async (): Promise<void> => {
    for (let fault = left.pop(); fault !== undefined; fault = left.pop()) {
      const { name } = fault;
      await tryProviderFault(under, fault, { patienceMs: 1_500 }).catch(() => failures.add(name));
    }
  };
  await Promise.all(Array.from({ length: 6 }, tryOn));
  return faultsFor(under).flatMap(({ name }) => (failures.has(name) ? [name] : []));
}

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
        .map((fault) => fault.name)
        .filter((name) => !harmless.has(name)),
    );
  });

  test("an error that says that nothing happened, when it may have", async () => {
    const failures = await findFailures(
      toChanged(({ code, message, hint, retryAfterMs }) => {
        return new TuttiError(code, message, {
          effect: "none",
          hint: hint ?? "",
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        });
      }),
    );
    expect(failures).toContain("500: a fault of its own, after it did what it was asked");
    expect(failures).toContain("it never answers");
    expect(failures).toContain("a field is missing");
    expect(failures).not.toContain("nobody listens at the port");
  });

  test("an error that says that nobody knows, when certainly nothing happened", async () => {
    const failures = await findFailures(
      toChanged(({ code, message, hint }) => new TuttiError(code, message, { effect: "unknown", hint: hint ?? "" })),
    );
    expect(failures).toContain("nobody listens at the port");
    expect(failures).toContain("429: asked to wait, it does not say how long");
    expect(failures).toContain("429: asked to wait, in seconds");
  });

  test("an error that shows the key", async () => {
    const failures = await findFailures(
      toChanged(
        (error, { key }) =>
          new TuttiError(error.code, `${error.message} with ${key}`, { hint: "", effect: error.effect }),
      ),
    );
    expect(failures).toContain("401: it does not know the key, and repeats it");
  });

  test("a provider that repeats by itself", async () => {
    const failures = await findFailures((service) => {
      const good = toPublisher(service);
      return {
        name: "stubborn",
        run: async (page, host) => Promise.resolve(good.run(page, host)).catch(() => good.run(page, host)),
      };
    });
    expect(failures).toContain("502: something behind it failed, before it did anything");
    expect(failures).not.toContain("packed, as it may be");
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
