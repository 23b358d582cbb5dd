import type { Clock } from "../base/clock.ts";
import type { RunId } from "../contracts/ids.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { keepGateState, readGateStates } from "./gate-state.ts";
import { openGate, type Gate } from "./gate.ts";
import { checkLimits, findLimits, type LimitKind, type LimitTable } from "./limit.ts";
import { countWaiting, type SlotUse } from "./slot-use.ts";

/** What a call passes on its way. */
export interface CallRoute {
  readonly tenant: string | undefined;
  readonly flow: string;
  /** The agent that makes it; of agents inside agents the innermost. */
  readonly agent: string | undefined;
  readonly kind: "tool" | "model";
  /** The tool's name, or the model's provider. */
  readonly name: string;
}

/** All gates of one engine. Their states are in the ledger, so that a new process goes on with them. */
export interface Gates {
  /** In the order in which they have to be passed, which is the same for every call, so that no two calls hold each other up. */
  of(route: CallRoute): readonly Gate[];
  /** What is in use now, and who waits: the gates that limit how many, and those where somebody waits. */
  usage(): readonly SlotUse[];
  /** The limits that calls of a run wait for, each once. */
  waitsFor(run: RunId): readonly string[];
}

/** Tenants, flows and agents come and go; a gate that nobody uses is forgotten then. */
const gatesMax = 10_000;

/** @throws TuttiError DEFINITION_INVALID */
export async function openGates(
  ledger: Ledger,
  { limits, clock }: { readonly limits: LimitTable; readonly clock: Clock },
): Promise<Gates> {
  checkLimits(limits);
  const stored = new Map(await readGateStates(ledger));
  const gates = new Map<string, Gate>();

  function find(kind: LimitKind, name: string | undefined): readonly Gate[] {
    if (name === undefined) return [];
    const key = `${kind}/${name}`;
    const known = gates.get(key);
    if (known !== undefined) return [known];
    const declared = findLimits(limits, kind, name);
    if (declared === undefined) return [];
    if (gates.size >= gatesMax) for (const [idle, gate] of gates) if (gate.isIdle) gates.delete(idle);
    const gate = openGate({
      key,
      limits: declared,
      isFallible: kind === "tool" || kind === "model",
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
    of: ({ tenant, flow, agent, kind, name }) => [
      ...find("tenant", tenant),
      ...find("flow", flow),
      ...find("agent", agent),
      ...find(kind, name),
    ],
    usage: () =>
      [...gates].flatMap(([limit, gate]) => {
        const { slots, inUse } = gate;
        const standings = gate.waiting();
        if (slots === undefined && standings.length === 0) return [];
        const waits = countWaiting(standings);
        return [{ limit, of: "calls", ...(slots === undefined ? {} : { slots }), inUse, waiting: waits }];
      }),
    waitsFor: (run) =>
      [...gates].flatMap(([limit, gate]) => (gate.waiting().some((standing) => standing.run === run) ? [limit] : [])),
  };
}
