import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Fact, HandOff, Packet, PeerTask, Refusal } from "./packet.ts";

/** What peers know of their task together. */
export interface PeerState {
  readonly goal: string;
  readonly done: readonly string[];
  readonly known: readonly Fact[];
  readonly assumed: readonly string[];
  readonly missing: readonly string[];
  readonly refusals: readonly Refusal[];
}

export function openState(task: PeerTask): PeerState {
  const { goal, known = [], missing = [] } = task;
  return { goal, known, missing, done: [], assumed: [], refusals: [] };
}

/** What is known after a hand-off. What is missing is as the last peer sees it; everything else adds up. */
export function learn(state: PeerState, said: HandOff): PeerState {
  return {
    ...state,
    done: unite(state.done, said.done),
    assumed: unite(state.assumed, said.assumed),
    missing: unite([], said.missing),
    known: uniteFacts(state.known, said.known),
  };
}

/** A peer would not take it; said twice, it counts once. */
export function refuse(state: PeerState, refusal: Refusal): PeerState {
  const others = state.refusals.filter((each) => each.by !== refusal.by);
  return { ...state, refusals: [...others, refusal] };
}

/**
 * A name for all that is known, whatever the order. Two peers that hand a task to and fro under one hash learn nothing. What is still missing
 * is no information, and neither is how sure a fact is.
 */
export function toInformationHash({ done, known, assumed, refusals }: PeerState): string {
  const facts = known.map(toFactKey).toSorted();
  const refusers = refusals.map((each) => each.by).toSorted();
  return sha256(toCanonicalJson({ done: done.toSorted(), facts, assumed: assumed.toSorted(), refusers }));
}

/** The facts that a receiver takes; all of them if it does not say. */
function toTaken(known: readonly Fact[], topics: readonly string[] | undefined): readonly Fact[] {
  return topics === undefined ? known : known.filter((fact) => topics.includes(fact.topic));
}

export function toPacket(
  state: PeerState,
  rest: Pick<Packet, "from" | "reason" | "peers"> & { readonly topics: readonly string[] | undefined },
): Packet {
  const { goal, done, assumed, missing, refusals } = state;
  const { topics, from, reason, peers } = rest;
  return { goal, from, reason, done, known: toTaken(state.known, topics), assumed, missing, peers, refusals };
}

function unite(earlier: readonly string[], later: readonly string[]): readonly string[] {
  return [...new Set([...earlier, ...later])];
}

// Of two who say the same the less sure one counts: a fact does not become surer by being told again.
function uniteFacts(earlier: readonly Fact[], later: readonly Fact[]): readonly Fact[] {
  const factByKey = new Map<string, Fact>();
  for (const fact of [...earlier, ...later]) {
    const key = toFactKey(fact);
    const confidence = Math.min(fact.confidence, factByKey.get(key)?.confidence ?? 1);
    factByKey.set(key, { ...fact, confidence });
  }
  return [...factByKey.values()];
}

function toFactKey({ topic, fact }: Fact): string {
  return toCanonicalJson([topic, fact]);
}
