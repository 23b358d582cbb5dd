import type { Model } from "../contracts/model.ts";
import { openStatuses, type RunRecord } from "../contracts/run-record.ts";
import type { Flow } from "../contracts/run.ts";
import { replayDry, type DryReplay } from "../engine/dry-replay.ts";
import { isJournalId } from "../engine/journal.ts";
import { withReader } from "./ledger-file.ts";

/** What would become of an open run under other code. */
export interface CheckedRun {
  readonly run: RunRecord;
  readonly outcome:
    | DryReplay
    /** The flow is there, but not in the run's version: the run would stay where it is. */
    | { readonly kind: "no-version" }
    /** The flow is not there at all, so another file is meant for it. */
    | { readonly kind: "elsewhere" };
}

/**
 * Replays every open run of a ledger against flows. Nothing is written, no tool and no model is called.
 * @throws TuttiError SOURCE_UNREADABLE, LEDGER_CORRUPT, LEDGER_TOO_NEW
 */
export function checkUpgrade(checked: {
  readonly ledger: string;
  readonly flows: readonly Flow[];
  readonly models: Readonly<Record<string, Model>>;
}): Promise<readonly CheckedRun[]> {
  const { flows, models } = checked;
  return withReader(checked.ledger, async (ledger) => {
    const runs = (await ledger.listRuns({ statuses: openStatuses })).filter(({ id }) => !isJournalId(id));
    const found: CheckedRun[] = [];
    for (const run of runs) {
      const versions = flows.filter(({ name }) => name === run.flow);
      const flow = versions.find(({ version }) => version === run.version);
      if (flow === undefined)
        found.push({ run, outcome: { kind: versions.length === 0 ? "elsewhere" : "no-version" } });
      else found.push({ run, outcome: await replayDry(ledger, { run: run.id, flow, models }) });
    }
    return found;
  });
}
