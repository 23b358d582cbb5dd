import type { Clock } from "../base/clock.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { keepGateState, readGateStates } from "./gate-state.ts";
import { openGate, type Gate } from "./gate.ts";
import { checkLimits, findLimits, type LimitTable } from "./limit.ts";

/** What a call passes on its way. */
export interface CallRoute {
  readonly tenant: string | undefined;
  readonly kind: "tool" | "model";
  /** The tool's name, or the model's provider. */
  readonly name: string;
}

/** All gates of one engine. Their states are in the ledger, so that a new process goes on with them. */
export interface Gates {
  /** In the order in which they have to be passed, which is the same for every call, so that no two calls hold each other up. */
  of(route: CallRoute): readonly Gate[];
}

/** Tenants come and go; a gate that nobody uses is forgotten then. */
const gatesMax = 10_000;

/** @throws TuttiError DEFINITION_INVALID */
export async function openGates(
  ledger: Ledger,
  { limits, clock }: { readonly limits: LimitTable; readonly clock: Clock },
): Promise<Gates> {
  checkLimits(limits);
  const stored = new Map(await readGateStates(ledger));
  const gates = new Map<string, Gate>();

  function find(kind: "tool" | "model" | "tenant", name: string): readonly Gate[] {
    const key = `${kind}/${name}`;
    const known = gates.get(key);
    if (known !== undefined) return [known];
    const declared = findLimits(limits, kind, name);
    if (declared === undefined) return [];
    if (gates.size >= gatesMax) for (const [idle, gate] of gates) if (gate.isIdle) gates.delete(idle);
    const gate = openGate({
      key,
      limits: declared,
      isFallible: kind !== "tenant",
      clock,
      stored: stored.get(key) ?? {},
      onChange(state) {
        stored.set(key, state);
        keepGateState(ledger, key, state);
      },
    });
    gates.set(key, gate);
    return [gate];
  }

  return {
    of: ({ tenant, kind, name }) => [...(tenant === undefined ? [] : find("tenant", tenant)), ...find(kind, name)],
  };
}
