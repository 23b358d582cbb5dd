import { describe, expect, test } from "vitest";

import type { ProviderUnderTest } from "../../packages/tutti/src/testing/provider-fault.ts";
import { faultsFor, tryProviderFault } from "../../packages/tutti/src/testing/provider-faults.ts";
import { verifies } from "../verifies.ts";

/** Faults that do not concern a provider: the beginning of their names, and why. */
export type Exceptions = Readonly<Record<string, string>>;

/** Every fault of the kit, tried on one provider. Every provider over HTTP runs it. An exception that excepts nothing is an error. */
export function describeProviderFaults<Input, Output>(
  name: string,
  under: ProviderUnderTest<Input, Output>,
  exceptions: Exceptions = {},
): void {
  const beginnings = Object.keys(exceptions);
  const faults = faultsFor(under);
  describe.for([{ name }])("$name", { concurrent: true }, () => {
    test("every exception is one of a fault that there is", () => {
      expect(beginnings.filter((beginning) => !faults.some((fault) => fault.name.startsWith(beginning)))).toEqual([]);
    });
    test.for(faults.filter((fault) => !beginnings.some((beginning) => fault.name.startsWith(beginning))))(
      "$name",
      verifies("K4"),
      async (fault) => {
        await expect(tryProviderFault(under, fault)).resolves.toBeUndefined();
      },
    );
  });
}
