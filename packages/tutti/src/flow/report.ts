import type { ToolReport } from "../contracts/callable.ts";
import { toolReport } from "../contracts/entry-bodies.ts";
import { addUsage } from "../contracts/outcome.ts";

/** Where a call keeps what its tool reported, until an entry takes it. Most calls never get one. */
export interface Reported {
  report?: ToolReport | undefined;
}

const triedMax = 32;
const textMax = 1_000;

/** @throws ShapeError when it has another shape: who calls it has a bug, and whatever it did is then in doubt. */
export function addReport(reported: Reported, report: ToolReport): void {
  const { provider, tried, usage, note } = toolReport(report, "report");
  const before = reported.report ?? {};
  const allTried = [...(before.tried ?? []), ...(tried ?? [])].slice(0, triedMax);
  reported.report = {
    ...before,
    ...(provider === undefined ? {} : { provider: provider.slice(0, textMax) }),
    ...(allTried.length === 0 ? {} : { tried: allTried }),
    ...(usage === undefined ? {} : { usage: before.usage === undefined ? usage : addUsage(before.usage, usage) }),
    ...(note === undefined ? {} : { note: note.slice(0, textMax) }),
  };
}

const nothing = {} as const;

/** What was reported since the last entry, as the field of the next one. */
export function takeReport(reported: Reported | undefined): { readonly report?: ToolReport } {
  if (reported?.report === undefined) return nothing;
  const { report } = reported;
  reported.report = undefined;
  return { report };
}
