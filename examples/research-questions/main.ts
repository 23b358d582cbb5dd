import path from "node:path";

import { bodyOf, openTutti, type BodyOf, type LedgerEntry } from "tutti";
import { openBoard } from "tutti/teams";
import { z } from "zod";

import { isIntact, makeLedgerPath, openAccount, readJson } from "../stage/account.ts";
import { Answer, readLibrary } from "./finder.ts";
import { research } from "./research.ts";

const Question = z.object({ id: z.string(), question: z.string() });
const Bidder = z.object({ name: z.string(), does: z.string(), costUsd: z.number(), capacity: z.number() });

// Long enough for an answer, short enough to wait for when an agent dies.
const leaseMs = 2_000;
const inputs = path.join(import.meta.dirname, "inputs");
const library = path.join(inputs, "library");

process.exitCode = await main();

async function main(): Promise<number> {
  const account = openAccount("Research questions: agents bid, one claims, and a dead one's work is taken over");
  const questions = readJson(path.join(inputs, "questions.json"), z.array(Question).min(1));
  const bidders = readJson(path.join(inputs, "agents.json"), z.array(Bidder).min(2));
  const ledger = makeLedgerPath("research-questions");
  const tutti = await openTutti({ flows: [], ledger });
  const board = await openBoard({
    ledger: tutti.ledger,
    name: "questions",
    task: z.object({ question: z.string() }),
    output: Answer,
    leaseMs,
  });
  for (const { id, question } of questions) await board.announce(id, { does: question, task: { question } });
  for (const bidder of bidders) board.join(bidder);

  const names = bidders.map(({ name }) => name);
  const { answers, victim, tooLate } = await research(board, { names, library });
  const stories = await Promise.all(
    questions.map(async ({ id }) => (await tutti.open(`board:questions:${id}`)).entries()),
  );
  const known = new Set((await readLibrary(library)).map(({ text }) => text));
  account.tell(
    "Who got what, and why",
    questions.map(({ id }, index) => toLine(id, stories[index] ?? [])),
  );
  account.tell("A process dies", [
    `${victim?.by} was ended by SIGKILL at ${victim?.id}; its lease ran out, and ${answers.get(victim?.id ?? "")?.by} answered`,
    `what it would have said later under its lease is refused: ${tooLate}`,
  ]);
  account.tell(
    "Answers",
    questions.map(({ id }) => `${id.padEnd(9)} ${answers.get(id)?.quote ?? "none"}`),
  );
  const ends = stories.map((story) => story.filter(({ kind }) => kind === "run-done").length);
  account.check(
    "every question was answered exactly once",
    ends.every((count) => count === 1) && answers.size === questions.length,
  );
  account.check(
    "every answer stands in the library, word for word",
    [...answers.values()].every(({ quote }) => known.has(quote)),
  );
  account.check(
    "the dead agent's question was answered by another",
    victim !== undefined && answers.get(victim.id)?.by !== victim.by,
  );
  account.check(
    "whatever the dead agent held was claimed by another",
    stories.every((story) => claimsOf(story)[0]?.by !== victim?.by || claimsOf(story).length > 1),
  );
  account.check("what it would have said under its old lease is refused", tooLate === "LEDGER_FENCED");
  account.check("the ledger's chain is intact", await isIntact(tutti));
  board.close();
  await tutti.close();
  return account.end({
    ledger,
    next: [`npm run tutti -- show board:questions:${victim?.id} --entries --ledger ${ledger}`],
  });
}

function claimsOf(story: readonly LedgerEntry[]): BodyOf<"task-claimed">[] {
  return story.flatMap((entry) => (entry.kind === "task-claimed" ? [bodyOf(entry, entry.kind)] : []));
}

function toLine(id: string, story: readonly LedgerEntry[]): string {
  return `${id.padEnd(9)} ${claimsOf(story)
    .map(({ by, why, others }) => `${by} (${why}; before ${others.length} others)`)
    .join(", then ")}`;
}
