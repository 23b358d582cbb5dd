import { expect, test } from "vitest";
import { z } from "zod";

import { play, surviveEveryCrash, type Answered, type Asked } from "../../../../test/agents/agent-fixture.ts";
import { askerOf, modelOf, recordsOf, says, toNamed, wordsOf } from "../../../../test/teams/team-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import type { Reviewed, ReviewVerdict } from "../contracts/agreement.ts";
import type { ModelRequest } from "../contracts/model.ts";
import type { Agent, ReviewOptions } from "../contracts/run.ts";
import { team } from "./team.ts";

const author = toNamed("author");
const critic = agent<Answered, ReviewVerdict>({
  name: "critic",
  does: "Looks for faults.",
  model: "fast",
  input: z.object({ answer: z.string() }),
  output: z.object({ accepted: z.boolean(), points: z.array(z.string()) }),
  instructions: "",
});

function toDesk(
  options: Partial<ReviewOptions<Answered, string>> = {},
  keep: (reviewed: Reviewed<Answered>) => void = () => {},
): Agent<Asked, Answered> {
  return team({
    name: "desk",
    does: "Writes and checks.",
    input: z.object({ question: z.string() }),
    output: z.object({ answer: z.string() }),
    members: [author, critic],
    how: async (run, input) => {
      const draft = await run.call(author, input);
      const reviewed = await run.review(draft, {
        by: critic,
        revise: (branch, work, points) => branch.call(author, { question: `${work.answer}: ${points.join(", ")}` }),
        ...options,
      });
      keep(reviewed);
      return { output: reviewed.work };
    },
  });
}

/** Each revision adds a mark; the critic wants this many. */
const marksWanted = (marks: number): Parameters<typeof modelOf>[0] => ({
  author: (request: ModelRequest) =>
    says(`${/text!*/u.exec(wordsOf(request))?.[0] ?? "text"}${wordsOf(request).includes("louder") ? "!" : ""}`),
  critic: (request: ModelRequest) =>
    wordsOf(request).includes("!".repeat(marks)) || marks === 0
      ? { answer: { accepted: true, points: [] } }
      : { answer: { accepted: false, points: ["louder"] } },
});

test("a work goes back with the reviewer's points until it is accepted", verifies("C14"), async () => {
  let reviewed: Reviewed<Answered> | undefined;
  const { outcome, entries } = await play(
    modelOf(marksWanted(2)),
    toDesk({}, (said) => (reviewed = said)),
  );
  expect(outcome).toMatchObject({ output: { answer: "text!!" } });
  expect(reviewed).toEqual({ work: { answer: "text!!" }, accepted: true, rounds: [["louder"], ["louder"], []] });
  expect(recordsOf(entries, "message-sent")).toMatchObject([
    { from: "reviewer", to: "author", intent: "revise", note: "1 point" },
    { intent: "revise", inReplyTo: "/desk/review/message-sent" },
  ]);
});

test(
  "a work that is not accepted in the end does not move on, or is marked: as declared",
  verifies("C14"),
  async () => {
    const thrown = await play(modelOf(marksWanted(9)), toDesk());
    expect(thrown.outcome).toMatchObject({ code: "REVIEW_REJECTED", hint: expect.any(String), facts: { looks: 3 } });
    let reviewed: Reviewed<Answered> | undefined;
    const model = modelOf(marksWanted(9));
    await play(
      model,
      toDesk({ onRejected: "return", roundsMax: 4 }, (said) => (reviewed = said)),
    );
    expect(reviewed).toMatchObject({ accepted: false, work: { answer: "text!!!!" } });
    expect(model.requests.filter((request) => askerOf(request) === "critic")).toHaveLength(5);
  },
);

test("a revision that changes nothing is not looked at again", async () => {
  const model = modelOf({ author: says("text"), critic: { answer: { accepted: false, points: ["louder"] } } });
  const { outcome } = await play(model, toDesk({ roundsMax: 9 }));
  expect(outcome).toMatchObject({ code: "REVIEW_REJECTED", message: expect.stringContaining("changed nothing") });
  expect(model.requests).toHaveLength(3);
});

test("without rounds a work is looked at once", async () => {
  const model = modelOf(marksWanted(0));
  expect((await play(model, toDesk({ roundsMax: 0 }))).outcome).toMatchObject({ output: { answer: "text" } });
  expect(model.requests).toHaveLength(2);
});

test("a refusal without points, and rounds without number, are told with a hint", verifies("K4"), async () => {
  const empty = modelOf({ author: says("text"), critic: { answer: { accepted: false, points: [] } } });
  expect((await play(empty, toDesk())).outcome).toMatchObject({ code: "OUTPUT_INVALID", hint: expect.any(String) });
  const endless = await play(modelOf(marksWanted(0)), toDesk({ roundsMax: Number.POSITIVE_INFINITY }));
  expect(endless.outcome).toMatchObject({ code: "INPUT_INVALID", hint: expect.any(String) });
});

test("after a crash at any entry a review goes on where it was", verifies("C14", "D2"), async () => {
  const { points, differences } = await surviveEveryCrash(toDesk(), () => modelOf(marksWanted(2)));
  expect(differences).toEqual([]);
  expect(points).toBeGreaterThan(15);
});
