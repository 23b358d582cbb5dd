import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { openTutti, type Tutti } from "tutti";

import { readArguments, usage, type Arguments } from "./arguments.ts";
import { attend, findPerson, isAsking, openBell, policy } from "./ask-person.ts";
import { toBrief, type BriefParts } from "./brief-flow.ts";
import { chooseModel } from "./choose-model.ts";
import { crashAndRecover } from "./crash.ts";
import { openDocuments } from "./documents.ts";
import { findEdition } from "./edition.ts";
import { openView, say, sayError, writeLine } from "./say.ts";

const ledgerPath = path.join(".tutti", "brief.db");

/** The exit code when a person's answer is missing; the command line of Tutti has the same. */
const waiting = 4;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const given = readArguments(words);
  if ("problem" in given) {
    say(`✗ ${given.problem}\n\n${usage}`);
    return 2;
  }
  if (given.help) {
    say(usage);
    return 0;
  }
  try {
    if (given.crash)
      return await crashAndRecover(
        words.filter((word) => word !== "--crash"),
        ledgerPath,
      );
    return await makeBrief(given);
  } catch (error) {
    sayError(error);
    return 1;
  }
}

/** Makes the page, goes on with it where a crash stopped it, or shows the one that is there. */
async function makeBrief({ topic, folders, out, again, json, approve }: Arguments): Promise<number> {
  const sources = await openDocuments(folders);
  const { model, why } = await chooseModel(process.env);
  say(
    `Topic      ${topic}\nDocuments  ${sources.list.length} read${sources.skipped.length === 0 ? "" : `, ${sources.skipped.length} passed over (the page says why)`}\nModel      ${why}\n`,
  );

  await mkdir(path.dirname(ledgerPath), { recursive: true });
  const entriesOf: BriefParts["entriesOf"] = async (run) => {
    await tutti.ledger.flush(); // what was just recorded may still be on its way
    return (await tutti.open(run)).entries();
  };
  const brief = toBrief({ sources, folder: out, entriesOf, ledgerPath });
  const view = openView(json);
  const by = findPerson({ approve, json });
  const asked = openBell();
  // Only the run that is asked for goes on here; others of this ledger stay as they are.
  const tutti: Tutti = await openTutti({
    flows: [brief],
    models: { fast: model },
    ledger: ledgerPath,
    recover: false,
    policy,
    onActivity(activity) {
      view.show(activity);
      if (activity.kind === "entry" && activity.entry.kind === "approval-requested") asked.ring();
    },
  });
  try {
    const edition = await findEdition(tutti, { topic, sources, out, again });
    const run = await tutti.start(
      brief,
      { topic, slug: edition.slug },
      { key: edition.key, ...(by === undefined ? {} : { by }) },
    );
    const state = await run.state();
    if (state.kind === "done") {
      showFinished(state.output.path, run.id);
      return 0;
    }
    if (state.kind === "parked" || state.kind === "paused") await run.resume();
    if (edition.begun) say(`Going on with ${run.id}: what it has done already is not done again.\n`);
    const entries = await run.entries();
    if (approve && !isAsking(entries)) {
      say(`${run.id} was begun without being asked about; --again --approve makes a page that is.`);
      return 2;
    }
    view.follow(run.id, entries);
    if (state.kind === "asking") asked.ring();
    process.once("SIGINT", () => {
      view.close();
      say("\nStopped. The same command goes on from here.");
      process.exit(130);
    });
    const output = await attend(run, { tutti, by, ledgerPath, onAsk: () => view.close(), asked });
    view.close();
    if (output === undefined) return waiting;
    showMade(output, { run: run.id, json });
    return 0;
  } finally {
    view.close();
    await tutti.close();
  }
}

function showMade(
  { path: page, quotes }: { readonly path: string; readonly quotes: number },
  { run, json }: { readonly run: string; readonly json: boolean },
): void {
  say(
    `\n${quotes === 0 ? "Nothing in the documents answers this; the page says so." : `${quotes} quotes, each found word for word in its document.`}`,
  );
  if (json) writeLine({ kind: "page", path: page, run });
  else process.stdout.write(`${page}\n`);
}

function showFinished(page: string, run: string): void {
  if (existsSync(page)) {
    say(`The page is already there (run ${run}); --again makes a new one.`);
    process.stdout.write(`${page}\n`);
  } else say(`This was done in run ${run}, but its page ${page} is gone; --again makes a new one.`);
}
