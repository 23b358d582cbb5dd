import path from "node:path";

import { openTutti, type LedgerEntry } from "tutti";
import { z } from "zod";

import { isIntact, makeLedgerPath, openAccount, readJson, type Account } from "../stage/account.ts";
import { readLetters, toResearch } from "./research.ts";
import { type Advice, Assignment, Place } from "./shapes.ts";
import { openThinker, type Asked } from "./thinker.ts";

const inputs = path.join(import.meta.dirname, "inputs");
const entriesMax = 10_000;

process.exitCode = await main();

async function main(): Promise<number> {
  const account = openAccount(
    "Change of direction: a person speaks in the middle, and everything stands still for a while",
  );
  const { question, places, direction, freeze } = readJson(path.join(inputs, "question.json"), Assignment);
  const known = readJson(path.join(inputs, "places.json"), z.array(Place));
  const ledger = makeLedgerPath("change-of-direction");
  const letters = path.join(path.dirname(ledger), "letters.jsonl");
  const research = toResearch(known, letters);
  const thinker = openThinker();
  const thinking = thinker.interruptAt(direction.during);
  const tutti = await openTutti({ flows: [research], models: { fast: thinker.model }, ledger });
  const scan = (): Promise<readonly LedgerEntry[]> => tutti.ledger.flush().then(() => tutti.ledger.scan(0, entriesMax));
  try {
    const run = await tutti.start(research, { question, places }, { id: "board" });

    await thinking;
    const toldBefore = thinker.asked.length;
    const thinkingAgain = thinker.interruptAt(freeze.during);
    const directed = await run.steer({ kind: "constraint", text: direction.text }, direction);
    const { goOn } = await thinkingAgain;
    account.tell(`While the scout thinks about ${direction.during}`, [
      `${direction.by} says: ${direction.text}, because ${direction.reason}`,
      `${directed.stopped} question stopped; it is directive ${directed.version} of the run`,
    ]);

    await tutti.freeze({ reach: "all" }, freeze);
    goOn(); // what is going on comes to its end, and is the last thing that does
    const frozen = await run.settled();
    const before = { asked: thinker.asked.length, entries: (await scan()).length };
    const late = await tutti.start(research, { question, places }, { id: "second" });
    const frozenToo = await late.settled();
    const begun = (await scan()).slice(before.entries).filter(({ kind }) => /^(?:step|effect)-/u.test(kind));
    const isStill = thinker.asked.length === before.asked && readLetters(letters).length === 0;
    account.tell(`While the scout thinks about ${freeze.during}`, [
      `${freeze.by} freezes everything, because ${freeze.reason}`,
      `the run is ${frozen.kind}; another that is started now is ${frozenToo.kind}`,
      `${thinker.asked.length - before.asked} questions were asked, ${begun.length} steps and effects begun`,
    ]);

    await tutti.unfreeze({ reach: "all" }, freeze);
    const advice = await run.result();
    const other = await late.result();
    account.tell("Unfrozen, both go on by themselves", [
      `${run.id}: ${advice.place}, ${advice.why}. Passed over: ${advice.passedOver.join(", ")}. Under: ${advice.under.join(", ")}.`,
      `${late.id}, to which nobody said anything: ${other.place}, ${other.why}.`,
    ]);

    const { asked } = thinker;
    checkQuestions(account, { asked, by: run.id, toldBefore, stopped: directed.stopped, text: direction.text });
    account.check(
      "while it was frozen nothing began: no question, no step, no letter",
      frozen.kind === "frozen" && frozenToo.kind === "frozen" && isStill && begun.length === 0,
    );
    const ofTheEu = known.filter(({ country }) => ["PT", "FR", "PL"].includes(country));
    checkAdvice(account, { advice, cheapest: toCheapest(ofTheEu), other, cheapestOfAll: toCheapest(known), letters });
    account.check("the ledger's chain is intact", await isIntact(tutti));
  } finally {
    await tutti.close();
  }
  return account.end({
    ledger,
    next: [`npm run tutti -- show board --ledger ${ledger}`, `npm run tutti -- why board --ledger ${ledger}`],
  });
}

interface Questions {
  readonly asked: readonly Asked[];
  readonly by: string;
  /** So many had been asked when the person spoke. */
  readonly toldBefore: number;
  readonly stopped: number;
  readonly text: string;
}

function checkQuestions(account: Account, { asked, by, toldBefore, stopped, text }: Questions): void {
  const mine = asked.filter(({ run }) => run === by);
  const told = asked.slice(toldBefore).filter(({ run }) => run === by);
  account.check(
    "the question that was under way was stopped, and no other",
    stopped === 1 && mine.filter(({ wasStopped }) => wasStopped).length === 1,
  );
  account.check(
    "no question was asked under the old directive after that",
    told.length > 0 && told.every(({ constraints }) => constraints.join() === text),
  );
}

interface Given {
  readonly advice: Advice;
  readonly other: Advice;
  /** Worked out by hand. */
  readonly cheapest: string | undefined;
  readonly cheapestOfAll: string | undefined;
  readonly letters: string;
}

function checkAdvice(account: Account, { advice, other, cheapest, cheapestOfAll, letters }: Given): void {
  account.check("the advice is the cheapest place of the EU, worked out by hand", advice.place === cheapest);
  account.check("without the directive it is the cheapest of all", other.place === cheapestOfAll);
  account.check(
    "each advice was sent once, as it was given",
    JSON.stringify(readLetters(letters).toSorted(byPlace)) === JSON.stringify([advice, other].toSorted(byPlace)),
  );
}

function toCheapest(places: readonly Place[]): string | undefined {
  return places.toSorted((left, right) => left.rent + left.wages - (right.rent + right.wages))[0]?.place;
}

function byPlace(left: Advice, right: Advice): number {
  return (left.place ?? "").localeCompare(right.place ?? "");
}
