import type { LedgerEntry, Tutti } from "tutti";
import { verifyLedger } from "tutti/insight";

/** What was checked, and what is wrong if something is. */
export interface Check {
  readonly what: string;
  readonly problems: readonly string[];
}

/** What is wrong with a ledger: an entry that was changed, a step or an effect that was done twice. */
export async function findLedgerProblems(tutti: Tutti, entries: readonly LedgerEntry[]): Promise<string[]> {
  const ledger = await verifyLedger(tutti.ledger);
  const broken = ledger.kind === "broken" ? [`entry ${ledger.lsn} of ${ledger.run}: ${ledger.why}`] : [];
  const done = entries.filter(({ kind }) => kind === "step-done" || kind === "effect-settled").map(({ key }) => key);
  const twice = done.filter((key, index) => done.indexOf(key) !== index);
  return [...broken, ...twice.map((key) => `${key} was done twice`)];
}

/** Prints each check, with what is wrong below it. */
export function tellChecks(checks: readonly Check[]): void {
  console.log("");
  for (const { what, problems } of checks) {
    console.log(`${problems.length === 0 ? "✓" : "✗"} ${what}`);
    for (const problem of problems) console.log(`    ${problem}`);
  }
}
