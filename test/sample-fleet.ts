import { applyToFleet, emptyFleet, type FleetState } from "../packages/tutti/src/insight/fleet/fleet-state.ts";
import { toEntries, type SampleLine } from "./sample-entries.ts";

/** What the fleet knows after these runs, one after the other. */
export function toFleet(...runs: readonly (readonly SampleLine[])[]): FleetState {
  const fleet = emptyFleet();
  let lsn = 0;
  for (const [index, lines] of runs.entries())
    for (const entry of toEntries(lines, `run-${index}`)) applyToFleet(fleet, { ...entry, lsn: (lsn += 1) });
  return fleet;
}

export const started = (more: object = {}): SampleLine => ({
  kind: "run-started",
  body: { flow: "brief", version: "1", ...more },
  atMs: 0,
});
