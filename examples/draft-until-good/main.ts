import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { bodyOf, flow, openTutti } from "tutti";
import { runPlan } from "tutti/plans";
import { z } from "zod";

import { isIntact, makeLedgerPath, openAccount, readJson } from "../stage/account.ts";
import { Brief, findPoints, openModel, toCrew } from "./crew.ts";

const inputs = path.join(import.meta.dirname, "inputs");
const Made = z.object({
  accepted: z.boolean(),
  text: z.string(),
  points: z.array(z.string()),
  file: z.string().nullable(),
});

process.exitCode = await main();

async function main(): Promise<number> {
  const account = openAccount("Draft until good: a plan with a loop, as data");
  const plan: unknown = JSON.parse(readFileSync(path.join(inputs, "plan.json"), "utf8"));
  const { tasks } = z
    .object({ tasks: z.array(z.object({ repeat: z.object({ max: z.number() }).optional() })) })
    .parse(plan);
  const roundsMax = Math.max(...tasks.map(({ repeat }) => repeat?.max ?? 1));
  const briefs = readdirSync(path.join(inputs, "briefs")).map((file) =>
    readJson(path.join(inputs, "briefs", file), Brief),
  );
  const ledger = makeLedgerPath("draft-until-good");
  const callables = toCrew(path.dirname(ledger));
  // All that is code here: the plan says the rest.
  const announce = flow({
    name: "announce",
    input: Brief,
    output: Made,
    run: async (run, brief) => Made.parse((await runPlan(run, plan, { callables, input: brief })).output),
  });
  const tutti = await openTutti({ flows: [announce], models: { fast: openModel() }, ledger });
  for (const brief of briefs) {
    const run = await tutti.start(announce, brief, { id: brief.name });
    const made = await run.result();
    const checks = (await run.entries())
      .flatMap((entry) => (entry.kind === "step-done" ? [bodyOf(entry, entry.kind)] : []))
      .filter(({ call }) => call === "check");
    const rounds = checks.map(({ out }) => z.object({ points: z.array(z.string()) }).parse(out).points);
    account.tell(`${brief.name}: at most ${brief.wordsMax} words, ${brief.facts.length} facts`, [
      ...rounds.map(
        (points, index) => `round ${index + 1}  ${points.length === 0 ? "nothing is wrong" : points.join("; ")}`,
      ),
      made.accepted
        ? `published: ${made.text}`
        : `not published after ${rounds.length} rounds, a person is needed: ${made.points.join("; ")}`,
    ]);
    const isGood = findPoints({ ...brief, text: made.text }).length === 0;
    const isOut = made.file !== null && existsSync(made.file);
    account.check(
      `${brief.name}: only what is good is published`,
      isOut === made.accepted && (isGood || !made.accepted),
    );
    account.check(
      `${brief.name}: the loop ended within ${roundsMax} rounds`,
      rounds.length >= 1 && rounds.length <= roundsMax,
    );
  }
  account.check("the ledger's chain is intact", await isIntact(tutti));
  await tutti.close();
  return account.end({
    ledger,
    next: [
      "npm run tutti -- draw examples/draft-until-good/inputs/plan.json    the plan as a picture",
      `npm run tutti -- plan ${briefs[0]?.name} --ledger ${ledger}    what became of its tasks`,
    ],
  });
}
