import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { play, surviveEveryCrash, type Answered, type Asked } from "../../../../test/agents/agent-fixture.ts";
import { modelOf, recordsOf, wordsOf } from "../../../../test/teams/team-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { AgentDefinition } from "../agents/agent-definition.ts";
import { agent } from "../agents/agent.ts";
import type { ModelRequest } from "../contracts/model.ts";
import type { Agent } from "../contracts/run.ts";
import { packet, peerReply, type Fact, type HandOff, type Packet, type PeerReply } from "./packet.ts";
import { learn, openState, toInformationHash } from "./peer-state.ts";
import { peers, type Peer, type PeersDefinition } from "./peers.ts";
import { team } from "./team.ts";

const Reply = z.object({ answer: z.string() });
type Member = Agent<Packet, PeerReply<Answered>>;

function toPeer(name: string, change: Partial<AgentDefinition<Packet, PeerReply<Answered>>> = {}): Member {
  return agent({
    name,
    does: `Knows all about ${name}.`,
    model: "fast",
    input: packet,
    output: peerReply(Reply),
    instructions: "",
    ...change,
  });
}

function toCircle(
  members: readonly (Member | Peer<Answered>)[],
  rest: Partial<PeersDefinition<Answered>> = {},
): Agent<Asked, Answered> {
  const how = peers({ members, ...rest });
  return team({
    name: "desk",
    does: "Answers customers.",
    input: z.object({ question: z.string() }),
    output: Reply,
    members: members.map((member) => ("callable" in member ? member.callable : member)),
    how: (run, { question }) => how(run, { goal: question }),
  });
}

const fact = (text: string, change: Partial<Fact> = {}): Fact => ({
  topic: "order",
  fact: text,
  confidence: 0.9,
  ...change,
});

function handsTo(to: string, said: Partial<HandOff> = {}): { readonly answer: PeerReply<Answered> } {
  const handOff = { to, reason: `It is for ${to}.`, done: [], known: [], assumed: [], missing: [], ...said };
  return { answer: { answer: null, handOff } };
}

const answers = (answer: string): { readonly answer: PeerReply<Answered> } => ({
  answer: { answer: { answer }, handOff: null },
});

function packetOf(request: ModelRequest | undefined): Packet {
  const text =
    /```json\n(?<json>[\s\S]*)\n```/u.exec(request === undefined ? "" : wordsOf(request))?.groups?.["json"] ?? "{}";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by this very agent's input
  return JSON.parse(text) as Packet;
}

const three = ["triage", "billing", "shipping"].map((name) => toPeer(name));

const openModel = (): ReturnType<typeof modelOf> =>
  modelOf({
    triage: handsTo("billing", {
      done: ["read the letter"],
      known: [fact("order 7"), fact("has a dog", { topic: "private" })],
      missing: ["the invoice"],
    }),
    billing: handsTo("shipping", {
      known: [fact("it was paid", { topic: "money" })],
      assumed: ["the address is right"],
    }),
    shipping: answers("on its way"),
  });
const validate = (value: unknown) => peerReply(Reply)["~standard"].validate(value);

describe("a hand-off", () => {
  test(
    "takes along what is known, done, assumed and missing, and is an entry with who, to whom and who read it",
    verifies("C7", "O5"),
    async () => {
      const asked = openModel();
      const { outcome, entries } = await play(asked, toCircle(three));
      expect(outcome).toMatchObject({ output: { answer: "on its way" }, usage: { modelCalls: 3 } });
      expect(packetOf(asked.requests[2])).toMatchObject({
        goal: "What does it mean?",
        from: "billing",
        done: ["read the letter"],
        known: [fact("order 7"), fact("has a dog", { topic: "private" }), fact("it was paid", { topic: "money" })],
        assumed: ["the address is right"],
        missing: [],
        peers: [{ name: "triage" }, { name: "billing" }],
      });
      const messages = recordsOf(entries, "message-sent");
      expect(
        messages.map(({ from, to, intent, readBy, inReplyTo }) => ({ from, to, intent, readBy, inReplyTo })),
      ).toEqual([
        { from: "caller", to: "triage", intent: "hand-off", readBy: "/desk/triage", inReplyTo: undefined },
        { from: "triage", to: "billing", intent: "hand-off", readBy: "/desk/billing", inReplyTo: "/desk/message-sent" },
        {
          from: "billing",
          to: "shipping",
          intent: "hand-off",
          readBy: "/desk/shipping",
          inReplyTo: "/desk/message-sent#2",
        },
      ]);
      const keys = new Set(entries.map((entry) => entry.key));
      for (const { readBy, bytes } of messages) {
        expect(keys).toContain(readBy);
        expect(bytes).toBeGreaterThan(50);
      }
    },
  );

  test(
    "takes along only the topics that its receiver takes, and says how much was kept back",
    verifies("C7"),
    async () => {
      const asked = openModel();
      const [triage, billing, shipping] = three;
      if (triage === undefined || billing === undefined || shipping === undefined) throw new Error("three");
      const { entries } = await play(
        asked,
        toCircle([triage, { callable: billing, takes: ["order"] }, { callable: shipping, takes: [] }]),
      );
      expect(packetOf(asked.requests[1]).known).toEqual([fact("order 7")]);
      expect(JSON.stringify(asked.requests[1])).not.toContain("dog");
      expect(recordsOf(entries, "message-sent").map((message) => message.withheld)).toEqual([0, 1, 3]);
    },
  );
});

describe("a hand-off on its way", () => {
  test("that the receiver's contract refuses goes back with the reason", verifies("C7"), async () => {
    const strict = toPeer("billing", {
      needs: [{ name: "the order is known", check: ({ known }) => known.length > 0 || "no order number" }],
    });
    const asked = modelOf({
      triage: (request) =>
        packetOf(request).refusals.length === 0 ? handsTo("billing") : answers("please send the number"),
      billing: answers("never asked"),
    });
    const { outcome, entries } = await play(asked, toCircle([toPeer("triage"), strict]));
    expect(outcome).toMatchObject({ output: { answer: "please send the number" } });
    expect(packetOf(asked.requests[1]).refusals).toEqual([
      { by: "billing", reason: expect.stringContaining("no order number") },
    ]);
    expect(recordsOf(entries, "message-sent").map(({ from, to, intent }) => [from, to, intent])).toEqual([
      ["caller", "triage", "hand-off"],
      ["triage", "billing", "hand-off"],
      ["billing", "triage", "return"],
    ]);
  });

  test("that the first one refuses is the caller's to know", async () => {
    const strict = toPeer("triage", { needs: [{ name: "something", check: () => "closed today" }] });
    const { outcome } = await play(modelOf({}), toCircle([strict]));
    expect(outcome).toMatchObject({ code: "PRECONDITION_FAILED", message: expect.stringContaining("closed today") });
  });

  test("to nobody, or to itself, comes back", async () => {
    const asked = modelOf({
      triage: (request) => {
        const { refusals } = packetOf(request);
        if (refusals.length === 0) return handsTo("nobody");
        return refusals.length === 1 ? handsTo("triage") : answers("myself then");
      },
    });
    expect((await play(asked, toCircle(three))).outcome).toMatchObject({ output: { answer: "myself then" } });
  });

  test("survives a crash at any entry", verifies("C7", "D2"), async () => {
    const { points, differences } = await surviveEveryCrash(toCircle(three), openModel);
    expect(differences).toEqual([]);
    expect(points).toBeGreaterThan(10);
  });
});

describe("going in circles", () => {
  test(
    "two who hand to and fro without anything new are stopped, with the way that it went",
    verifies("C7"),
    async () => {
      const model = modelOf({ triage: handsTo("billing"), billing: handsTo("triage") });
      const { outcome } = await play(model, toCircle(three));
      expect(outcome).toMatchObject({
        code: "HAND_OFF_LOOP",
        hint: expect.any(String),
        facts: { trail: ["triage", "billing", "triage", "billing", "triage"] },
      });
      expect(model.requests).toHaveLength(4);
    },
  );

  test("so are three, also when each words anew what is missing and why", verifies("C7"), async () => {
    let count = 0;
    const next = (to: string) => () => handsTo(to, { reason: `Because ${count++}`, missing: [`more ${count}`] });
    const model = modelOf({ triage: next("billing"), billing: next("shipping"), shipping: next("triage") });
    expect((await play(model, toCircle(three))).outcome).toMatchObject({ code: "HAND_OFF_LOOP" });
    expect(model.requests).toHaveLength(6);
  });

  test("two who learn something each time are not stopped", verifies("C7"), async () => {
    let count = 0;
    const next = (to: string) => () =>
      count++ < 7 ? handsTo(to, { known: [fact(`fact ${count}`)] }) : answers("found");
    const { outcome } = await play(modelOf({ triage: next("billing"), billing: next("triage") }), toCircle(three));
    expect(outcome).toMatchObject({ output: { answer: "found" } });
  });

  test("but for ever is too long", async () => {
    let count = 0;
    const next = (to: string) => () => handsTo(to, { known: [fact(`fact ${count++}`)] });
    const model = modelOf({ triage: next("billing"), billing: next("triage") });
    const { outcome } = await play(model, toCircle(three, { handOffsMax: 5 }));
    expect(outcome).toMatchObject({ code: "HAND_OFF_LOOP", message: expect.stringContaining("5 times") });
    expect(model.requests).toHaveLength(6);
  });
});

test("told again a fact is no surer, and no news, whatever the order", verifies("C7"), () => {
  const facts = fc.array(
    fc.record({
      topic: fc.constantFrom("a", "b"),
      fact: fc.constantFrom("x", "y", "z"),
      confidence: fc.constantFrom(0.2, 0.5, 1),
    }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(facts, facts, (known, again) => {
      const said: HandOff = { to: "", reason: "", done: ["d", "e"], known, assumed: [], missing: [] };
      const state = learn(openState({ goal: "g" }), said);
      const repeated = learn(state, {
        ...said,
        done: ["e", "d"],
        known: known.toReversed().map((each) => ({ ...each, confidence: 1 })),
      });
      expect(toInformationHash(repeated)).toBe(toInformationHash(state));
      expect(repeated.known).toEqual(state.known);
      const more = learn(state, { ...said, known: again });
      const isNews = again.some(
        (each) => !known.some(({ topic, fact: text }) => topic === each.topic && text === each.fact),
      );
      expect(toInformationHash(more) !== toInformationHash(state)).toBe(isNews);
    }),
  );
});

test("a reply is an answer or a hand-off, never both or none", async () => {
  const { answer: handOff } = handsTo("billing");
  expect(await validate(handOff)).toEqual({ value: handOff });
  expect(await validate({ answer: { answer: "x" } })).toEqual({ value: { answer: { answer: "x" }, handOff: null } });
  for (const wrong of [
    null,
    "x",
    {},
    { answer: null, handOff: null },
    { ...handOff, answer: { answer: "x" } },
    { answer: { answer: 3 } },
    { handOff: { to: "x" } },
  ])
    expect(await validate(wrong)).toMatchObject({ issues: [{ message: expect.any(String) }] });
  const long = handsTo("billing", { done: Array.from({ length: 51 }, String) });
  expect(await validate(long.answer)).toMatchObject({ issues: [{ message: expect.stringContaining("at most 50") }] });
});

test("peers that can't work are refused with a hint", verifies("K4"), () => {
  const refused = expect.objectContaining({ code: "DEFINITION_INVALID", hint: expect.any(String) });
  expect(() => peers({ members: three, first: "nobody" })).toThrow(refused);
  expect(() => peers({ members: [...three, ...three] })).toThrow(refused);
  expect(() => peers({ members: [] })).toThrow(refused);
  expect(() => peers({ members: three, handOffsMax: -1 })).toThrow(refused);
});
