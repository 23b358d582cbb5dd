import { expect, test } from "vitest";
import { z } from "zod";

import {
  play,
  surviveEveryCrash,
  toScholar,
  type Answered,
  type Asked,
} from "../../../../test/agents/agent-fixture.ts";
import { modelOf, recordsOf, says, toNamed, toScholars } from "../../../../test/teams/team-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import type { Model } from "../contracts/model.ts";
import type { Agent } from "../contracts/run.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { flow } from "../flow/flow.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { cached } from "../models/cached.ts";
import { tool } from "../tools/tool.ts";
import { agreeing, team, type TeamDefinition } from "./team.ts";

type Definition = TeamDefinition<Asked, Answered>;

function toTeam(
  name: string,
  change: Partial<Definition> & Pick<Definition, "how" | "members">,
): Agent<Asked, Answered> {
  return team({
    name,
    does: "Answers together.",
    input: z.object({ question: z.string() }),
    output: z.object({ answer: z.string() }),
    ...change,
  });
}

const versionOf = (instructions: string, version?: string): string =>
  toTeam("team", {
    members: [toScholar({ instructions })],
    how: (run, input) => run.result(toScholar(), input),
    ...(version === undefined ? {} : { version }),
  }).version;

/** Three tiers: a firm of two offices, and a vote in each of them. */
function toFirm(): Agent<Asked, Answered> {
  const office = (name: string, ...members: readonly string[]): Agent<Asked, Answered> => {
    const voters = toScholars(...members);
    return toTeam(name, { members: voters, how: agreeing(voters, { by: { kind: "vote" } }) });
  };
  const [north, south] = [office("north", "ada", "ben", "cyd"), office("south", "dov", "eve", "fay")];
  const chief = toNamed("chief");
  return toTeam("firm", {
    members: [north, south, chief],
    how: async (run, input) => {
      const { above, below } = await run.all({
        above: (branch) => branch.call(north, input),
        below: (branch) => branch.call(south, input),
      });
      return run.result(chief, { question: `${above.answer} or ${below.answer}?` });
    },
  });
}

const firmModel = (): ReturnType<typeof modelOf> =>
  modelOf({
    ada: says("1"),
    ben: says("1"),
    cyd: says("2"),
    dov: says("3"),
    eve: says("4"),
    fay: says("3"),
    chief: says("both"),
  });

test(
  "a team is a callable like an agent: teams of teams answer, each counted where it was",
  verifies("C6"),
  async () => {
    const { outcome, entries } = await play(firmModel(), toFirm());
    expect(outcome).toMatchObject({ output: { answer: "both" }, model: "scripted/script-1" });
    expect(recordsOf(entries, "votes-counted")).toHaveLength(2);
    const closed = entries.filter((entry) => entry.kind === "scope-closed").map((entry) => entry.key);
    expect(closed).toContain("/firm/all/above/north/voters/ada/ada");
    expect(closed.at(-1)).toBe("/firm");
  },
);

test("three tiers survive a crash at any entry, and nothing is paid twice", verifies("C6", "D2"), async () => {
  const { points, differences } = await surviveEveryCrash(toFirm(), firmModel);
  expect(differences).toEqual([]);
  expect(points).toBeGreaterThan(20);
});

test("a cancel at the top reaches the models at the bottom", verifies("C6"), async () => {
  const firm = toFirm();
  const asked = Promise.withResolvers<void>();
  const aborted: string[] = [];
  let count = 0;
  const hanging: Model = {
    provider: "hanging",
    id: "m",
    generate: (_request, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted.push("aborted");
          reject(signal.reason);
        });
        if (++count === 6) asked.resolve();
      }),
  };
  const main = flow({
    name: "main",
    input: z.object({ question: z.string() }),
    output: z.object({ answer: z.string() }),
    run: (run, input) => run.call(firm, input),
  });
  await using ledger = { ...openMemoryLedger({ clock: systemClock }), [Symbol.asyncDispose]: () => Promise.resolve() };
  const tutti = await openTutti({ flows: [main], models: { fast: hanging }, ledger });
  try {
    const handle = await tutti.start(main, { question: "?" });
    await asked.promise;
    await handle.cancel("enough");
    await expect(handle.result()).rejects.toMatchObject({ code: "RUN_CANCELLED" });
    expect(aborted).toHaveLength(6);
  } finally {
    await tutti.close();
  }
});

test("asked for a vote of its own, a team hands that on to its members", verifies("C13"), async () => {
  const lead = toScholar();
  const inner = toTeam("inner", { members: [lead], how: (run, input) => run.result(lead, input) });
  const outer = toTeam("outer", { members: [inner], how: agreeing(inner, { by: { kind: "vote" }, times: 3 }) });
  const model = modelOf({ scholar: says("4") });
  const { outcome } = await play(cached(model), outer);
  expect(outcome).toMatchObject({
    output: { answer: "4" },
    confidence: { source: "agreement" },
    usage: { modelCalls: 3 },
  });
  expect(model.requests).toHaveLength(3);
});

test("what its members can undo is known to the run", () => {
  const pay = tool({
    name: "pay",
    does: "Pays.",
    input: z.object({}),
    output: z.object({}),
    effect: "once",
    run: () => ({}),
    undo: () => {},
  });
  const inner = toTeam("inner", {
    members: [toScholar({ tools: [pay] })],
    how: (run, input) => run.result(toScholar(), input),
  });
  expect(toTeam("outer", { members: [inner], how: (run, input) => run.result(inner, input) }).tools).toEqual([pay]);
});

test("its version follows its members and its own declared one", () => {
  expect(versionOf("a")).toBe(versionOf("a"));
  expect(versionOf("a")).not.toBe(versionOf("b"));
  expect(versionOf("a")).not.toBe(versionOf("a", "2"));
  const members = [toScholar()];
  const one = toTeam("team", { members, how: (run, input) => run.result(toScholar(), input) });
  const other = toTeam("team", {
    members,
    how: async (run, input) => run.call(toScholar(), input).then((output) => ({ output })),
  });
  expect(one.version).not.toBe(other.version);
  expect(
    toTeam("team", { members, how: (run, input) => run.result(toScholar(), input), permissions: {} }).version,
  ).not.toBe(one.version);
});

test.each<[string, Partial<Definition>]>([
  ["a name of two words", { name: "two words" }],
  ["no words on what it does", { does: " " }],
  ["no members", { members: [] }],
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as plain JavaScript might
  ["no manner", { how: "vote" as unknown as Definition["how"] }],
])("a team with %s is refused with a hint", verifies("K4"), (_what, change) => {
  const lead = toScholar();
  expect(() => toTeam("team", { members: [lead], how: (run, input) => run.result(lead, input), ...change })).toThrow(
    expect.objectContaining({ code: "DEFINITION_INVALID", hint: expect.any(String) }),
  );
});
