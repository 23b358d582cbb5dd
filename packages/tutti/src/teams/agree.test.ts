import { describe, expect, test } from "vitest";
import { z } from "zod";

import {
  play,
  surviveEveryCrash,
  toScholar,
  type Answered,
  type Asked,
} from "../../../../test/agents/agent-fixture.ts";
import { modelOf, recordsOf, says, toNamed, toScholars, wordsOf } from "../../../../test/teams/team-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { TuttiError } from "../base/errors.ts";
import type { Agreement, Judgement, JudgedQuestion } from "../contracts/agreement.ts";
import type { Model, ModelRequest } from "../contracts/model.ts";
import type { Agent, AgreeOptions, Voters } from "../contracts/run.ts";
import { whyOf } from "../insight/why.ts";
import { cached } from "../models/cached.ts";
import type { ScriptedReply } from "../testing/scripted-model.ts";
import { team } from "./team.ts";

/** A team of one line, that keeps what `run.agree` said. */
function toAsking(
  voters: Voters<Asked, Answered>,
  options: AgreeOptions<Asked, Answered>,
  keep: (agreement: Agreement<Answered>) => void = () => {},
): Agent<Asked, Answered> {
  return team({
    name: "panel",
    does: "Answers together.",
    input: z.object({ question: z.string() }),
    output: z.object({ answer: z.string() }),
    members: [toScholar()],
    how: async (run, input) => {
      const agreement = await run.agree(voters, input, options);
      keep(agreement);
      return { output: agreement.value, confidence: agreement.confidence };
    },
  });
}

async function agree(
  model: Model,
  voters: Voters<Asked, Answered>,
  options: AgreeOptions<Asked, Answered>,
): Promise<{ readonly agreement: Agreement<Answered> | undefined } & Awaited<ReturnType<typeof play>>> {
  let agreement: Agreement<Answered> | undefined;
  const played = await play(
    model,
    toAsking(voters, options, (said) => (agreement = said)),
  );
  return { agreement, ...played };
}

const three = toScholars("ada", "ben", "cyd");
const byName = (list: readonly Agent<Asked, Answered>[]): Voters<Asked, Answered> =>
  list.map((callable) => ({ callable, family: callable.name }));
const twoToOne = (): Model => modelOf({ ada: says("4"), ben: { answer: { answer: "4" } }, cyd: says("5") });

const show: Extract<AgreeOptions<Asked, Answered>["by"], { kind: "debate" }>["show"] = ({ question }, others) => ({
  question: `${question} Others: ${others.map((other) => other.answer.answer).join(", ")}`,
});
const follow = (request: ModelRequest): ScriptedReply => says(wordsOf(request).includes("Others: 4, 4") ? "4" : "5");
const openFour = (): ReturnType<typeof modelOf> =>
  modelOf({ ada: says("4"), ben: says("5"), cyd: says("6"), boss: says("5") });

describe("a vote", () => {
  test(
    "gives the answer of the majority, and keeps who dissents in the result and in the ledger",
    verifies("C13"),
    async () => {
      const { agreement, entries } = await agree(twoToOne(), byName(three), { by: { kind: "vote" } });
      expect(agreement?.value).toEqual({ answer: "4" });
      expect(agreement?.dissent.map(({ voter, answer }) => ({ voter, answer }))).toEqual([
        { voter: "cyd", answer: { answer: "5" } },
      ]);
      expect(agreement?.confidence).toEqual({ value: 3 / 5, source: "agreement" });
      expect(JSON.stringify(whyOf(entries))).toContain("by vote, 2 of 3 voters agreed; against it: cyd");
      const [counted] = recordsOf(entries, "votes-counted");
      expect(counted).toMatchObject({ rule: "vote", outcome: "agreed", confidence: { value: 3 / 5 } });
      expect(counted?.votes.map(({ voter, step, agrees }) => [voter, step, agrees])).toEqual([
        ["ada", "/panel/agree/voters/ada/ada", true],
        ["ben", "/panel/agree/voters/ben/ben", true],
        ["cyd", "/panel/agree/voters/cyd/cyd", false],
      ]);
    },
  );

  test("of one model's answers counts for less than the same of different models", verifies("C13"), async () => {
    const { agreement } = await agree(twoToOne(), three, { by: { kind: "vote" } });
    expect(agreement?.votes.map((vote) => vote.family)).toEqual(["script", "script", "script"]);
    expect(agreement?.votes[0]?.weight).toBeCloseTo(1 / 2.2, 12);
    expect(agreement?.confidence.value).toBeLessThan(3 / 5);
  });

  test("of a voter that is asked several times gets answers of their own from a cached model", async () => {
    let count = 0;
    const model = modelOf({ scholar: () => says(["a", "b", "a"][count++] ?? "?") });
    const { agreement } = await agree(cached(model), toScholar(), { by: { kind: "vote" }, times: 3 });
    expect(model.requests.map((request) => request.hints?.fresh)).toEqual([true, true, true]);
    expect(agreement?.value).toEqual({ answer: "a" });
    expect(agreement?.dissent).toHaveLength(1);
  });

  test(
    "that nobody wins is an error with a code and a hint, and its votes are kept",
    verifies("C13", "K4"),
    async () => {
      const model = modelOf({ ada: says("4"), ben: says("5"), cyd: says("6") });
      const { outcome, entries } = await agree(model, byName(three), { by: { kind: "vote" } });
      expect(outcome).toMatchObject({ code: "AGREEMENT_SPLIT", hint: expect.stringContaining("onSplit") });
      expect(recordsOf(entries, "votes-counted")).toMatchObject([{ outcome: "split", votes: [{}, {}, {}] }]);
    },
  );
});

describe("a vote, under rules of its own,", () => {
  test("that nobody wins goes to the branch that was declared for it", async () => {
    const model = modelOf({ ada: says("4"), ben: says("5"), boss: says("5") });
    const { agreement } = await agree(model, byName(three.slice(0, 2)), {
      by: { kind: "vote" },
      onSplit: (run, split) => run.call(toNamed("boss"), { question: split.why }),
    });
    expect(agreement?.value).toEqual({ answer: "5" });
    expect(agreement?.dissent.map((vote) => vote.voter)).toEqual(["ada"]);
    expect(agreement?.confidence.value).toBe(2 / 4);
  });

  test("can ask for more than a majority, and for less", async () => {
    const strict = await agree(twoToOne(), byName(three), { by: { kind: "vote", moreThan: 0.7 } });
    expect(strict.outcome).toMatchObject({ code: "AGREEMENT_SPLIT" });
    const four = byName(toScholars("ada", "ben", "cyd", "dov"));
    const model = modelOf({ ada: says("4"), ben: says("4"), cyd: says("5"), dov: says("6") });
    const loose = await agree(model, four, { by: { kind: "vote", moreThan: 0 } });
    expect(loose.agreement?.value).toEqual({ answer: "4" });
  });

  test("goes by declared weights", verifies("C13"), async () => {
    const voters = three.map((callable) => ({
      callable,
      family: callable.name,
      weight: callable.name === "cyd" ? 3 : 1,
    }));
    const { agreement } = await agree(twoToOne(), voters, { by: { kind: "vote" } });
    expect(agreement?.value).toEqual({ answer: "5" });
  });

  test("goes on without a voter that fails, and says so", verifies("C13"), async () => {
    const refused = { error: new TuttiError("MODEL_REFUSED", "no") };
    const model = modelOf({ ada: says("4"), ben: says("4"), cyd: refused });
    const { agreement, entries } = await agree(model, byName(three), { by: { kind: "vote" } });
    expect(agreement?.silent).toEqual([{ voter: "cyd", code: "MODEL_REFUSED" }]);
    expect(recordsOf(entries, "votes-counted")[0]?.silent).toEqual([{ voter: "cyd", code: "MODEL_REFUSED" }]);
    const all = await agree(model, byName(three), { by: { kind: "vote" }, need: "all" });
    expect(all.outcome).toMatchObject({ code: "BRANCHES_FAILED" });
  });

  test("in which everybody fails is an error that names what happened to the first", async () => {
    const refused = { error: new TuttiError("MODEL_REFUSED", "no credit") };
    const { outcome } = await agree(modelOf({ ada: refused, ben: refused, cyd: refused }), three, {
      by: { kind: "vote" },
    });
    expect(outcome).toMatchObject({
      code: "BRANCHES_FAILED",
      cause: expect.objectContaining({ message: expect.stringContaining("no credit") }),
    });
  });
});

describe("a judge", () => {
  const judge = agent<JudgedQuestion<Asked, Answered>, Judgement>({
    name: "judge",
    does: "Chooses.",
    model: "fast",
    input: z.custom<JudgedQuestion<Asked, Answered>>(),
    output: z.object({ choice: z.string(), reason: z.string() }),
    instructions: "",
  });

  test("chooses among the different answers, without names, and its reason is kept", verifies("C13"), async () => {
    const model = modelOf({
      ada: says("4"),
      ben: says("4"),
      cyd: says("5"),
      judge: { answer: { choice: "answer-2", reason: "It is right." } },
    });
    const { agreement, entries } = await agree(model, three, { by: { kind: "judge", judge } });
    expect(agreement).toMatchObject({ value: { answer: "5" }, reason: "It is right." });
    expect(agreement?.dissent.map((vote) => vote.voter)).toEqual(["ada", "ben"]);
    expect(recordsOf(entries, "votes-counted")[0]?.reason).toBe("It is right.");
    const asked = model.requests.find((request) => wordsOf(request).includes("candidates"));
    expect(wordsOf(asked ?? { messages: [], tools: [], answer: { name: "", schema: {} } })).not.toMatch(/ada|ben|cyd/u);
  });

  test("is not asked when all agree", async () => {
    const model = modelOf({ ada: says("4"), ben: says("4"), cyd: says("4") });
    const { agreement } = await agree(model, three, { by: { kind: "judge", judge } });
    expect(agreement?.value).toEqual({ answer: "4" });
    expect(model.requests).toHaveLength(3);
  });

  test("that chooses what nobody answered is refused", async () => {
    const model = modelOf({
      ada: says("4"),
      ben: says("5"),
      cyd: says("5"),
      judge: { answer: { choice: "9", reason: "" } },
    });
    const { outcome } = await agree(model, three, { by: { kind: "judge", judge } });
    expect(outcome).toMatchObject({ code: "OUTPUT_INVALID", hint: expect.stringContaining("answer-1") });
  });
});

describe("a debate", () => {
  test("shows each the others' answers, ends when all agree, and is bounded", verifies("C13"), async () => {
    const model = modelOf({ ada: says("4"), ben: says("4"), cyd: follow });
    const { agreement } = await agree(model, three, { by: { kind: "debate", show } });
    expect(agreement).toMatchObject({ value: { answer: "4" }, rounds: 2, dissent: [] });
    expect(model.requests).toHaveLength(6);
  });

  test("in which nobody changes their mind ends, and the vote decides", async () => {
    const { agreement } = await agree(twoToOne(), byName(three), { by: { kind: "debate", show, roundsMax: 9 } });
    expect(agreement).toMatchObject({ value: { answer: "4" }, rounds: 2 });
    expect(agreement?.dissent).toHaveLength(1);
  });

  test("that goes on and on ends with its rounds", async () => {
    let count = 0;
    const restless = () => says(String(count++));
    const { outcome, entries } = await agree(modelOf({ ada: restless, ben: restless, cyd: restless }), three, {
      by: { kind: "debate", show, roundsMax: 4 },
    });
    expect(outcome).toMatchObject({ code: "AGREEMENT_SPLIT" });
    expect(recordsOf(entries, "votes-counted")[0]?.rounds).toBe(4);
    expect(count).toBe(12);
  });
});

test("what has to be unanimous escalates as soon as one dissents", verifies("C13"), async () => {
  const split = await agree(twoToOne(), three, { by: { kind: "escalate" } });
  expect(split.outcome).toMatchObject({ code: "AGREEMENT_SPLIT" });
  const one = await agree(modelOf({ ada: says("4"), ben: says("4"), cyd: says("4") }), three, {
    by: { kind: "escalate" },
  });
  expect(one.agreement?.value).toEqual({ answer: "4" });
});

test.each<[string, Voters<Asked, Answered>, Partial<AgreeOptions<Asked, Answered>>]>([
  ["no voters", [], {}],
  ["too many", toScholar(), { times: 33 }],
  ["no times", toScholar(), { times: 0 }],
  ["more needed than asked", three, { need: { atLeast: 4 } }],
  ["a share of all", three, { by: { kind: "vote", moreThan: 1 } }],
  ["a weight of nothing", [{ callable: toScholar(), weight: 0 }], {}],
  ["a debate without rounds", three, { by: { kind: "debate", roundsMax: 0, show: (input) => input } }],
])("%s is refused with a hint", verifies("K4"), async (_what, voters, change) => {
  const { outcome } = await agree(twoToOne(), voters, { by: { kind: "vote" }, ...change });
  expect(outcome).toMatchObject({ code: "INPUT_INVALID", hint: expect.any(String) });
});

test("after a crash at any entry the same comes out, and no answer is paid twice", verifies("C13", "D2"), async () => {
  const debating = toAsking(three, {
    by: { kind: "debate", show: ({ question }, others) => ({ question: `${question} ${others.length}` }) },
    onSplit: (run, split) => run.call(toNamed("boss"), { question: split.why }),
  });
  const { points, differences } = await surviveEveryCrash(debating, openFour);
  expect(differences).toEqual([]);
  expect(points).toBeGreaterThan(18);
});
