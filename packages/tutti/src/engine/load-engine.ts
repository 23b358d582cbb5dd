import type { Tutti, TuttiOptions } from "./tutti.ts";

/**
 * Opens an engine over a ledger: by default a SQLite file in this folder. Open runs go on by themselves. What drives runs is loaded here, so
 * that a program that only declares flows, tools and agents does not pay for it.
 * @throws TuttiError DEFINITION_INVALID, LEDGER_BUSY, LEDGER_UNWRITABLE, LEDGER_CORRUPT, LEDGER_TOO_NEW
 */
export async function openTutti(options: TuttiOptions): Promise<Tutti> {
  const engine = await import("./open-tutti.ts");
  return engine.openTutti(options);
}
