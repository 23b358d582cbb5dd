import { fields, oneOf, text } from "../base/shape.ts";
import type { RunId } from "./ids.ts";

/** What stands still: everything, or all that has to do with one agent, flow, run (with what it started) or tenant. */
export type FreezeTarget =
  | { readonly reach: "all" }
  | { readonly reach: "agent" | "flow" | "run" | "tenant"; readonly name: string };

export const freezeShape = fields(
  { reach: oneOf("agent", "flow", "run", "tenant", "all"), by: text },
  { name: text, reason: text },
);

/** A freeze that is set. */
export interface Freeze {
  readonly target: FreezeTarget;
  readonly by: string;
  readonly reason: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** `all`, `agent/writer`: what a place in a run is asked by. */
export type FreezeName = "all" | `${"agent" | "flow" | "run" | "tenant"}/${string}`;

export function toFreezeName(target: FreezeTarget): FreezeName {
  return target.reach === "all" ? "all" : `${target.reach}/${target.name}`;
}

/** Every freeze that reaches all of a run, by what its start says. */
export function toFreezeNames(
  run: RunId,
  started: {
    readonly flow: string;
    readonly tenant?: string | undefined;
    readonly ancestors?: readonly { readonly run: RunId; readonly flow: string }[] | undefined;
  },
): FreezeName[] {
  const names: FreezeName[] = ["all", `run/${run}`, `flow/${started.flow}`];
  if (started.tenant !== undefined) names.push(`tenant/${started.tenant}`);
  for (const above of started.ancestors ?? []) names.push(`run/${above.run}`, `flow/${above.flow}`);
  return names;
}

export function describeFreeze({ target, by, reason }: Freeze): string {
  const what = target.reach === "all" ? "everything" : `${target.reach} ${target.name}`;
  return `${what} was frozen by ${by}${reason === undefined ? "" : `: ${reason}`}`;
}
