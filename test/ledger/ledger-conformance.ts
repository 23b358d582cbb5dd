import { describe } from "vitest";

import { describeApprovals } from "./ledger-approval-cases.ts";
import { describeBudgets } from "./ledger-budget-cases.ts";
import { describeDocuments } from "./ledger-document-cases.ts";
import { describeDurability } from "./ledger-durability-cases.ts";
import { describeEffects } from "./ledger-effect-cases.ts";
import { describeEntries } from "./ledger-entry-cases.ts";
import type { LedgerUnderTest } from "./ledger-fixture.ts";
import { describeProperties } from "./ledger-property-cases.ts";
import { describeRuns } from "./ledger-run-cases.ts";

/** Everything that ledger/ledger.ts promises, tried on one store. Every store runs it. */
export function describeLedger(name: string, under: LedgerUnderTest): void {
  describe.for([{ name }])("$name", () => {
    describeEntries(under);
    describeDurability(under);
    describeRuns(under);
    describeEffects(under);
    describeBudgets(under);
    describeDocuments(under);
    describeApprovals(under);
    describeProperties(under);
  });
}
