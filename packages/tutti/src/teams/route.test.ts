import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { play, surviveEveryCrash, type Answered, type Asked } from "../../../../test/agents/agent-fixture.ts";
import { modelOf, recordsOf, says, toNamed } from "../../../../test/teams/team-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import type { Agent } from "../contracts/run.ts";
import { whyOf } from "../insight/why.ts";
import { rankCandidates, type CandidateFacts } from "./rank-candidates.ts";
import { route, type RouteCandidate, type RouteOptions } from "./route.ts";
import { team } from "./team.ts";
import { openTrackRecord } from "./track-record.ts";

const toFacts = (name: string, rest: Pick<CandidateFacts, "costUsd" | "standing">): CandidateFacts => ({
  name,
  does: "Translates texts.",
  ...rest,
});

type Candidates = readonly RouteCandidate<Asked, Answered>[];

const translator = toNamed("translator", { does: "Translates texts into other languages." });
const painter = toNamed("painter", { does: "Draws pictures and charts." });
const rival = toNamed("rival", { does: "Translates texts into other languages." });

function toDesk(candidates: Candidates, options: Partial<RouteOptions> = {}): Agent<Asked, Answered> {
  return team({
    name: "desk",
    does: "Finds the right one.",
    input: z.object({ question: z.string() }),
    output: z.object({ answer: z.string() }),
    members: candidates.map(({ callable }) => callable),
    how: async (run, input) =>
      run.result(await route(run, candidates, { task: "Translate this text into French", ...options }), input),
  });
}

const model = (): ReturnType<typeof modelOf> =>
  modelOf({ translator: says("un"), painter: says("pic"), rival: says("deux") });
const all: Candidates = [{ callable: painter }, { callable: translator }, { callable: rival }];

test(
  "the one whose words fit the task is chosen, and the others are kept with the reason",
  verifies("C15"),
  async () => {
    const { outcome, entries } = await play(model(), toDesk(all));
    expect(outcome).toMatchObject({ output: { answer: "un" } });
    expect(recordsOf(entries, "decision-made")).toMatchObject([
      {
        about: "Translate this text into French",
        chosen: "translator",
        alternatives: [{ name: "rival" }, { name: "painter", score: 0, why: "does nothing of the kind" }],
      },
    ]);
  },
);

test("`tutti why` says what was decided, why, and who was not chosen", verifies("C15", "O6"), async () => {
  const { entries } = await play(model(), toDesk(all));
  expect(JSON.stringify(whyOf(entries))).toContain("Translate this text into French: translator, because fits 100 %");
  expect(JSON.stringify(whyOf(entries))).toContain("painter (does nothing of the kind)");
});

test("who costs less, and who can be asked, goes before who does not", verifies("C15"), async () => {
  const cheap = await play(
    model(),
    toDesk([
      { callable: translator, costUsd: 0.2 },
      { callable: rival, costUsd: 0.1 },
    ]),
  );
  expect(cheap.outcome).toMatchObject({ output: { answer: "deux" } });
  const away = await play(
    model(),
    toDesk([{ callable: translator, available: () => "on holiday" }, { callable: rival }]),
  );
  expect(away.outcome).toMatchObject({ output: { answer: "deux" } });
  expect(recordsOf(away.entries, "decision-made")[0]?.alternatives).toMatchObject([
    { name: "translator", why: "on holiday" },
  ]);
});

test("who failed before goes behind who did not: the ledger knows", verifies("C15"), async () => {
  const failing = modelOf({ translator: { error: new TuttiError("MODEL_REFUSED", "no") }, rival: says("deux") });
  const first = await play(failing, toDesk([{ callable: translator }]));
  const record = openTrackRecord(() => first.ledger);
  expect(await record.standingOf(["translator", "rival"])).toEqual([
    { done: 0, failed: 1, atWork: 0 },
    { done: 0, failed: 0, atWork: 0 },
  ]);
  const { outcome } = await play(model(), toDesk([{ callable: translator }, { callable: rival }], { record }));
  expect(outcome).toMatchObject({ output: { answer: "deux" } });
});

test("when nobody can take it the reasons are told", verifies("C15", "K4"), async () => {
  const { outcome } = await play(model(), toDesk([{ callable: painter }]));
  expect(outcome).toMatchObject({
    code: "ROUTE_MISSING",
    message: expect.stringContaining("painter (does nothing of the kind)"),
    hint: expect.any(String),
  });
  expect((await play(model(), toDesk([...all, ...all]))).outcome).toMatchObject({ code: "INPUT_INVALID" });
});

test("after a crash at any entry the same one is chosen, whatever holds then", verifies("C15", "D2"), async () => {
  let asked = 0;
  const available = (): boolean => asked++ % 2 === 0;
  const { differences } = await surviveEveryCrash(
    toDesk([
      { callable: translator, available: () => true },
      { callable: painter, available },
    ]),
    model,
  );
  expect(differences).toEqual([]);
});

test("of two that are alike but for one thing the better one is chosen", verifies("C15"), () => {
  const standing = fc.record({ done: fc.nat(30), failed: fc.nat(4), atWork: fc.nat(5) });
  const facts = fc.record({ costUsd: fc.constantFrom(0.1, 1, 5), standing });
  const change = fc.constantFrom<
    (worse: { costUsd: number; standing: CandidateFacts["standing"] }) => Pick<CandidateFacts, "costUsd" | "standing">
  >(
    (given) => ({ ...given, costUsd: given.costUsd * 2 }),
    ({ standing: had, ...given }) => ({ ...given, standing: { ...had, failed: had.failed + 1 } }),
    ({ standing: had, ...given }) => ({ ...given, standing: { ...had, atWork: had.atWork + 1 } }),
  );
  fc.assert(
    fc.property(facts, change, (given, worsen) => {
      const [best] = rankCandidates("translate texts", [toFacts("worse", worsen(given)), toFacts("better", given)]);
      expect(best?.name).toBe("better");
    }),
  );
});
