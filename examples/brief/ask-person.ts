import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";

import { isTuttiError, type LedgerEntry, type Policy, type RunHandle, type Tutti } from "tutti";
import { defaultPolicy } from "tutti/policies";

import type { Arguments } from "./arguments.ts";
import { ledgerPath } from "./brief-flow.ts";
import { say } from "./say.ts";
import { whenStopped } from "./serve-console.ts";

/** Runs that a person started ask before they publish; those that a program started, in a pipe or a pipeline, don't. */
export const policy: Policy = {
  name: "brief",
  version: defaultPolicy.version,
  decide: (request) =>
    request.context.initiator === undefined
      ? { kind: "allow", rules: ["nobody-is-there"] }
      : defaultPolicy.decide(request),
};

/** Who is asked: somebody at the terminal, or whoever wants to be. */
export function findPerson(wanted: Pick<Arguments, "approve" | "stay" | "json">): string | undefined {
  const isAtTerminal = process.stdin.isTTY && process.stderr.isTTY && !wanted.json && (process.env["CI"] ?? "") === "";
  return wanted.approve || wanted.stay || isAtTerminal ? userInfo().username : undefined;
}

/** Whether the run was begun by a person, and so asks. */
export function isAsking([started]: readonly LedgerEntry[]): boolean {
  return started !== undefined && Object.hasOwn(Object(JSON.parse(started.body)), "by");
}

/** Something happened that somebody waits for, or will. */
export interface Bell {
  ring(): void;
  rung(): Promise<void>;
}

export function openBell(): Bell {
  let bell = Promise.withResolvers<void>();
  return {
    ring: () => bell.resolve(),
    async rung() {
      await bell.promise;
      bell = Promise.withResolvers<void>();
    },
  };
}

export interface Attended {
  readonly tutti: Tutti;
  /** Who is here to answer. */
  readonly by: string | undefined;
  /** Whether it goes on waiting when nobody answers here: somebody may in the browser. */
  readonly stay: boolean;
  /** Rung when the run has asked for something. */
  readonly asked: Bell;
  /** Rung when something was decided, wherever. */
  readonly decided: Bell;
  readonly stopped: AbortSignal;
  /** Called before somebody is spoken to. */
  readonly onAsk: () => void;
}

/** The run's output, after a person has decided what it asks, here or in the browser; nothing if nobody said anything, and the run waits. */
export async function attend<Output>(run: RunHandle<Output>, attended: Attended): Promise<Output | undefined> {
  const { tutti, asked, stopped } = attended;
  const over = run.result();
  const isOver = over.then(
    () => true,
    () => true,
  );
  const isStopped = whenStopped(stopped).then(() => true);
  while (!(await Promise.race([isOver, isStopped, asked.rung().then(() => false)]))) {
    await Promise.race([run.settled(), isStopped]);
    for (const { id } of await tutti.approvals.list({ run: run.id }))
      if (!(await ask(id, attended, Promise.race([isOver, isStopped])))) return undefined;
  }
  return stopped.aborted ? undefined : over;
}

/** Shows what is asked and takes the answer from whoever gives it first. False: there was none. */
async function ask(id: string, attended: Attended, isEnded: Promise<unknown>): Promise<boolean> {
  const { tutti, by, stay, stopped, onAsk } = attended;
  const { approval, package: shown } = await tutti.approvals.show(id);
  onAsk();
  const { preview } = shown.action ?? {};
  say(`\n${typeof preview === "string" ? preview : shown.summary}\n${shown.why ?? ""} (${shown.rules.join(", ")})`);
  const isElsewhere = Promise.race([isEnded, untilDecided(id, attended)]);
  const answer = by === undefined ? undefined : await readLine("Publish it? Say yes, or why not: ", isElsewhere);
  if (by !== undefined && answer !== undefined) return vote(id, attended, { by, saw: approval.package, answer });
  if (stay) await isElsewhere;
  if (stopped.aborted) return false;
  if (await tellDecided(id, tutti)) return true;
  say(`\nNobody said anything, so it waits. Say it later, and start this again:`);
  say(`  npm run tutti -- approve ${id}:${approval.package.slice(0, 8)} --ledger ${ledgerPath}`);
  return false;
}

interface Answered {
  readonly by: string;
  readonly saw: string;
  readonly answer: string;
}

async function vote(id: string, { tutti }: Attended, { by, saw, answer }: Answered): Promise<boolean> {
  const isYes = /^y(?:es)?$/iu.test(answer.trim());
  const reason = answer.trim() === "" ? "no reason given" : answer.trim();
  try {
    await tutti.approvals.decide(id, isYes ? { by, saw, verdict: "approve" } : { by, saw, verdict: "reject", reason });
  } catch (error) {
    // Somebody was faster: their word counts, and this one is told so.
    if (!isTuttiError(error) || error.code !== "APPROVAL_DECIDED" || !(await tellDecided(id, tutti))) throw error;
  }
  return true;
}

/** Says what somebody else has decided, if that is so. */
async function tellDecided(id: string, tutti: Tutti): Promise<boolean> {
  const { state, decidedBy } = (await tutti.approvals.show(id)).approval;
  if (state !== "open") say(`Decided elsewhere: ${state}${decidedBy === undefined ? "" : `, by ${decidedBy}`}.`);
  return state !== "open";
}

async function untilDecided(id: string, { tutti, decided }: Attended): Promise<void> {
  do await decided.rung();
  while ((await tutti.approvals.show(id)).approval.state === "open");
}

/** A line that somebody typed; nothing at the end of the input, or when it is not wanted any more: then the question goes away. */
export async function readLine(question: string, isUnwanted: Promise<unknown>): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<undefined>((resolve) => terminal.once("close", () => resolve(undefined)));
  // While a line is read, the terminal hands Ctrl-C over as a key.
  terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const unwanted = isUnwanted.then(() => {
      if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
      return undefined;
    });
    return await Promise.race([terminal.question(question), closed, unwanted]);
  } finally {
    terminal.close();
  }
}
