import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { openTutti } from "tutti";
import type { TuttiServer } from "tutti/server";
import type { Sources } from "tutti/sources";

import { readArguments, usage, type Arguments } from "./arguments.ts";
import { attend, findPerson, isAsking, openBell, policy, readLine, type Attended } from "./ask-person.ts";
import { ledgerPath, toBrief } from "./brief-flow.ts";
import { chooseModel } from "./choose-model.ts";
import { crashAndRecover } from "./crash.ts";
import { openDocuments } from "./documents.ts";
import { findEdition } from "./edition.ts";
import { openView, say, sayError, writeLine, type View } from "./say.ts";
import { letLook, serveConsole, whenStopped } from "./serve-console.ts";

/** The exit code when a person's answer is missing; the command line of Tutti has the same. */
const waiting = 4;
const interrupted = 130;

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
    if (given.crash) return await crashAndRecover(words.filter((word) => word !== "--crash"));
    return await makeBrief(given);
  } catch (error) {
    sayError(error);
    return 1;
  }
}

/** Makes the page, goes on with it where a crash stopped it, or shows the one that is there. */
async function makeBrief(given: Arguments): Promise<number> {
  const sources = await openDocuments(given.folders);
  const { model, why } = await chooseModel(process.env);
  say(
    `Topic      ${given.topic}\nDocuments  ${sources.list.length} read${sources.skipped.length === 0 ? "" : `, ${sources.skipped.length} passed over (the page says why)`}\nModel      ${why}`,
  );
  await mkdir(path.dirname(ledgerPath), { recursive: true });
  const brief = toBrief({ sources, folder: given.out });
  const view = openView(given.json);
  const asked = openBell();
  const decided = openBell();
  // Only the run that is asked for goes on here; others of this ledger stay as they are.
  const tutti = await openTutti({
    flows: [brief],
    models: { fast: model },
    ledger: ledgerPath,
    recover: false,
    policy,
    onActivity(activity) {
      view.show(activity);
      if (activity.kind !== "entry") return;
      if (activity.entry.kind === "approval-requested") asked.ring();
      if (activity.entry.kind === "approval-decided") decided.ring();
    },
  });
  const by = findPerson(given);
  const stopped = untilStopped();
  let server: TuttiServer | undefined;
  try {
    server = by === undefined || given.json ? undefined : await serveConsole(tutti, brief, by);
    if (server === undefined) say("");
    const code = await attendBrief(given, { tutti, brief, sources, view, by, asked, decided, stopped });
    if (server !== undefined && code === 0 && !stopped.aborted) {
      const enough = (question: string): Promise<unknown> => readLine(question, whenStopped(stopped));
      await letLook(server, { stay: given.stay, stopped, enough });
    }
    return code;
  } finally {
    view.close();
    await server?.close();
    await tutti.close();
  }
}

/** Ctrl-C ends it in order; a second one ends it at once. */
function untilStopped(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  return stop.signal;
}

interface Job extends Pick<Attended, "tutti" | "by" | "asked" | "decided" | "stopped"> {
  readonly brief: ReturnType<typeof toBrief>;
  readonly sources: Sources;
  readonly view: View;
}

/** Starts the run or finds it, and stays with it until it is over, or waits for somebody who is not here. Returns the exit code. */
async function attendBrief({ topic, out, again, json, approve, stay }: Arguments, job: Job): Promise<number> {
  const { tutti, brief, sources, view, by, asked, stopped } = job;
  const edition = await findEdition(tutti, { topic, sources, out, again });
  const starter = by === undefined ? {} : { by };
  const run = await tutti.start(brief, { topic, slug: edition.slug }, { key: edition.key, ...starter });
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
  const output = await attend(run, { ...job, stay, onAsk: () => view.close() });
  view.close();
  if (stopped.aborted) {
    say("\nStopped. The same command goes on from here.");
    return interrupted;
  }
  if (output === undefined) return waiting;
  showMade(output, { run: run.id, json });
  return 0;
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
