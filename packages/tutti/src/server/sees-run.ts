import type { FleetState } from "../insight/fleet/fleet-state.ts";
import type { Caller } from "./callers.ts";

/** Topics, subscriptions and schedules belong to no tenant, so no tenant sees their entries. */
export function seesRun(caller: Caller, { runs }: FleetState, run: string): boolean {
  return caller.tenant === undefined || runs.get(run)?.tenant === caller.tenant;
}
