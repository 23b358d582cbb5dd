import { assert } from "../base/assert.ts";
import { isTuttiError, TuttiError } from "../base/errors.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Acted } from "../contracts/callable.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";
import { addUsage, noUsage, type Result } from "../contracts/outcome.ts";
import type { Callable, Run } from "../contracts/run.ts";
import { toSegment } from "../flow/scope.ts";
import type { Packet, PeerReply, PeerTask } from "./packet.ts";
import { learn, openState, refuse, toInformationHash, toPacket, type PeerState } from "./peer-state.ts";
import type { Manner } from "./team.ts";

/** One of several who pass a task on to each other. What it `needs` is asked before it gets the task: so it refuses. */
export interface Peer<Answer> {
  readonly callable: Callable<Packet, PeerReply<Answer>>;
  /** The topics whose facts it gets; all by default. */
  readonly takes?: readonly string[];
}

export interface PeersDefinition<Answer> {
  readonly members: readonly (Callable<Packet, PeerReply<Answer>> | Peer<Answer>)[];
  /** Who gets the task first; the first member by default. */
  readonly first?: string;
  /** Hand-offs in all; 12 by default. */
  readonly handOffsMax?: number;
}

const handOffsDefault = 12;
/** How often a peer may get a task about which nothing new is known: once, and once more when it comes back. */
const visitsMax = 2;

/**
 * How peers work without a coordinator: who has the task answers or hands it on, with what is known. Every hand-off is an entry. A hand-off
 * that the receiver refuses goes back with the reason. For a team of its own: entries name the steps that read them by their place in it. Going round without new information, or too long, ends with HAND_OFF_LOOP.
 * @throws TuttiError DEFINITION_INVALID
 */
export function peers<Answer>(definition: PeersDefinition<Answer>): Manner<PeerTask, Answer> {
  const memberByName = toMembers(definition);
  const first = definition.first ?? [...memberByName.keys()][0] ?? "";
  if (!memberByName.has(first))
    throw new TuttiError("DEFINITION_INVALID", `no peer is named ${JSON.stringify(first)}`, {
      hint: `Name one of the members: ${[...memberByName.keys()].join(", ") || "there are none"}.`,
    });
  const handOffsMax = definition.handOffsMax ?? handOffsDefault;
  if (!Number.isSafeInteger(handOffsMax) || handOffsMax < 0)
    throw new TuttiError("DEFINITION_INVALID", `handOffsMax is ${handOffsMax}`, {
      hint: "Give a whole number from 0 up.",
    });
  return (run, task) => passOn(run, task, { memberByName, first, handOffsMax });
}

interface Circle<Answer> {
  readonly memberByName: ReadonlyMap<string, Peer<Answer>>;
  readonly first: string;
  readonly handOffsMax: number;
}

/** A task on its way to one peer. */
interface Parcel {
  readonly to: string;
  readonly from: string;
  readonly reason: string;
  readonly intent: "hand-off" | "return";
  readonly inReplyTo?: StepKey;
}

async function passOn<Answer>(run: Run, task: PeerTask, circle: Circle<Answer>): Promise<Acted<Answer>> {
  const course = openCourse(run, circle);
  let state = openState(task);
  let parcel: Parcel = { to: circle.first, from: caller, reason: "You are the first.", intent: "hand-off" };
  let usage = noUsage;
  for (;;) {
    const arrival = await course.deliver(parcel, state);
    const inReplyTo = arrival.message;
    if (arrival.kind === "refused") {
      if (parcel.from === caller) throw arrival.error;
      state = refuse(state, { by: parcel.to, reason: arrival.error.message.slice(0, noteCharactersMax) });
      parcel = { to: parcel.from, from: parcel.to, reason: returned, intent: "return", inReplyTo };
      continue;
    }
    const { output, ...known } = arrival.result;
    usage = addUsage(usage, known.usage ?? noUsage);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without a hand-off there is an answer: see peerReply
    if (output.handOff === null) return { ...pickKnown(known), output: output.answer as Answer, usage };
    const { to, reason } = output.handOff;
    state = learn(state, output.handOff);
    if (circle.memberByName.has(to) && to !== parcel.to)
      parcel = { to, from: parcel.to, reason, intent: "hand-off", inReplyTo };
    else {
      state = refuse(state, { by: to, reason: "There is no such peer beside you." });
      parcel = { to: parcel.to, from: to, reason: returned, intent: "return", inReplyTo };
    }
  }
}

const caller = "caller";
const returned = "It was refused: choose another peer, or answer yourself.";
const noteCharactersMax = 200;

function pickKnown({
  confidence,
  model,
}: Omit<Result<unknown>, "output">): Pick<Acted<unknown>, "confidence" | "model"> {
  return { ...(confidence === undefined ? {} : { confidence }), ...(model === undefined ? {} : { model }) };
}

type Arrival<Answer> =
  | { readonly kind: "replied"; readonly result: Result<PeerReply<Answer>>; readonly message: StepKey }
  | { readonly kind: "refused"; readonly error: TuttiError; readonly message: StepKey };

interface Course<Answer> {
  /** Hands the packet over and waits for what its receiver does with it. @throws TuttiError HAND_OFF_LOOP */
  deliver(parcel: Parcel, state: PeerState): Promise<Arrival<Answer>>;
}

function openCourse<Answer>(run: Run, { memberByName, handOffsMax }: Circle<Answer>): Course<Answer> {
  const visits = new Map<string, number>();
  const calls = new Map<string, number>();
  const trail: string[] = [];
  const check = (parcel: Parcel, state: PeerState): void => {
    const visit = toCanonicalJson([parcel.to, toInformationHash(state)]);
    const count = (visits.get(visit) ?? 0) + 1;
    visits.set(visit, count);
    trail.push(parcel.to);
    if (count > visitsMax) throw toLoop(trail, `${parcel.to} would get it a third time with nothing new`);
    if (trail.length - 1 > handOffsMax) throw toLoop(trail, `it was handed on ${handOffsMax} times`);
  };
  return {
    async deliver(parcel, state) {
      check(parcel, state);
      const member = memberByName.get(parcel.to);
      assert(member !== undefined, "a parcel goes to a member");
      const packet = toPacketFor(member, { parcel, state, memberByName });
      const count = (calls.get(parcel.to) ?? 0) + 1;
      calls.set(parcel.to, count);
      const message = run.record("message-sent", {
        from: parcel.from,
        to: parcel.to,
        intent: parcel.intent,
        bytes: Buffer.byteLength(JSON.stringify(packet)),
        readBy: toStepKey(`${run.path}/${toSegment(parcel.to)}${count === 1 ? "" : `#${count}`}`),
        withheld: state.known.length - packet.known.length,
        note: parcel.reason.slice(0, noteCharactersMax),
        ...(parcel.inReplyTo === undefined ? {} : { inReplyTo: parcel.inReplyTo }),
      });
      try {
        return { kind: "replied", result: await run.result(member.callable, packet), message };
      } catch (error) {
        // Its own contract says that this is not for it; anything else is a failure like any other.
        if (!isTuttiError(error) || error.code !== "PRECONDITION_FAILED") throw error;
        return { kind: "refused", error, message };
      }
    },
  };
}

interface Sending {
  readonly parcel: Parcel;
  readonly state: PeerState;
  readonly memberByName: ReadonlyMap<string, Peer<unknown>>;
}

function toPacketFor({ takes }: Peer<unknown>, { parcel, state, memberByName }: Sending): Packet {
  const others = [...memberByName.values()].map((each) => each.callable).filter((each) => each.name !== parcel.to);
  return toPacket(state, {
    from: parcel.from,
    reason: parcel.reason,
    topics: takes,
    peers: others.map(({ name, does = "" }) => ({ name, does })),
  });
}

function toLoop(trail: readonly string[], why: string): TuttiError {
  return new TuttiError("HAND_OFF_LOOP", `peers hand a task on without getting anywhere: ${why}`, {
    hint: "Let a person or a supervisor decide, or give one of the peers what is missing.",
    facts: { trail: [...trail] },
  });
}

function toMembers<Answer>({ members }: PeersDefinition<Answer>): ReadonlyMap<string, Peer<Answer>> {
  const memberByName = new Map<string, Peer<Answer>>();
  for (const each of members) {
    const peer = "callable" in each ? each : { callable: each };
    const { name } = peer.callable;
    if (memberByName.has(name))
      throw new TuttiError("DEFINITION_INVALID", `two peers are named ${name}`, { hint: "Give one another name." });
    memberByName.set(name, peer);
  }
  return memberByName;
}
