import { decimal, fields, integer, ShapeError } from "../base/shape.ts";
import type { Ledger } from "../ledger/ledger.ts";

const shape = fields(
  {},
  {
    breaker: fields({ untilMs: integer, openings: integer }),
    usedUntilMs: integer,
    pausedUntilMs: integer,
    retries: decimal,
  },
);

/** What of a gate survives a restart. */
export type GateState = ReturnType<typeof shape>;

const prefix = "limit:";

export function keepGateState(ledger: Ledger, key: string, state: GateState): void {
  ledger.keep(`${prefix}${key}`, JSON.stringify(state));
}

/** The states of all gates that ever had one, by key. What can't be read counts as new: it protects, and decides nothing. */
export async function readGateStates(ledger: Ledger): Promise<ReadonlyMap<string, GateState>> {
  const states = new Map<string, GateState>();
  for (const { name, state } of await ledger.listKept()) {
    if (name.startsWith(prefix)) states.set(name.slice(prefix.length), parseState(state));
  }
  return states;
}

function parseState(text: string): GateState {
  try {
    return shape(JSON.parse(text), "");
  } catch (error) {
    if (error instanceof ShapeError || error instanceof SyntaxError) return {};
    throw error;
  }
}
