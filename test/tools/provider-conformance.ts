import { describe, expect, test } from "vitest";

import type { ProviderUnderTest } from "../../packages/tutti/src/testing/provider-fault.ts";
import { faultsFor, tryProviderFault } from "../../packages/tutti/src/testing/provider-faults.ts";
import { verifies } from "../verifies.ts";

/** Every fault of the kit, tried on one provider. Every provider over HTTP runs it. */
export function describeProviderFaults<Input, Output>(name: string, under: ProviderUnderTest<Input, Output>): void {
  describe.for([{ name }])("$name", { concurrent: true }, () => {
    test.for(faultsFor(under))("$name", verifies("K4"), async (fault) => {
      await expect(tryProviderFault(under, fault)).resolves.toBeUndefined();
    });
  });
}
