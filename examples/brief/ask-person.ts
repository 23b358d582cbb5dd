import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";

import type { LedgerEntry, Policy, RunHandle, Tutti } from "tutti";
import { defaultPolicy } from "tutti/policies";

import { say } from "./say.ts";

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
export function findPerson(wanted: { readonly approve: boolean; readonly json: boolean }): string | undefined {
  const isAtTerminal = process.stdin.isTTY && process.stderr.isTTY && !wanted.json && (process.env["CI"] ?? "") === "";
  return wanted.approve || isAtTerminal ? userInfo().username : undefined;
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
  readonly ledgerPath: string;
  /** Rung when the run has asked for something. */
  readonly asked: Bell;
  /** Called before somebody is spoken to. */
  readonly onAsk: () => void;
}

/** The run's output, after a person has decided what it asks; nothing if nobody said anything, and the run waits. */
export async function attend<Output>(run: RunHandle<Output>, attended: Attended): Promise<Output | undefined> {
  const over = run.result();
  const isOver = over.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([isOver, attended.asked.rung().then(() => false)]))) {
    await run.settled();
    for (const { id } of await attended.tutti.approvals.list({ run: run.id }))
      if (!(await ask(id, attended, isOver))) return undefined;
  }
  return over;
}

/** Shows what is asked and takes the answer. False: there was none. */
async function ask(id: string, { tutti, by, ledgerPath, onAsk }: Attended, isOver: Promise<unknown>): Promise<boolean> {
  const { approval, package: shown } = await tutti.approvals.show(id);
  onAsk();
  const { preview } = shown.action ?? {};
  say(`\n${typeof preview === "string" ? preview : shown.summary}\n${shown.why ?? ""} (${shown.rules.join(", ")})`);
  const answer = by === undefined ? undefined : await readLine("Publish it? Say yes, or why not: ", isOver);
  if (by === undefined || answer === undefined) {
    const { state } = (await tutti.approvals.show(id)).approval;
    if (state !== "open") return true;
    const typed = `${id}:${approval.package.slice(0, 8)}`;
    say(`\nNobody said anything, so it waits. Say it later, and start this again:`);
    say(`  npm run tutti -- approve ${typed} --ledger ${ledgerPath}`);
    return false;
  }
  const vote = { by, saw: approval.package };
  await tutti.approvals.decide(
    id,
    /^y(?:es)?$/iu.test(answer.trim())
      ? { ...vote, verdict: "approve" }
      : { ...vote, verdict: "reject", reason: answer.trim() === "" ? "no reason given" : answer.trim() },
  );
  return true;
}

/** A line that somebody typed; nothing at the end of the input, or when the run is over by somebody else's word. */
async function readLine(question: string, isOver: Promise<unknown>): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<undefined>((resolve) => terminal.once("close", () => resolve(undefined)));
  try {
    return await Promise.race([terminal.question(question), closed, isOver.then(() => undefined)]);
  } finally {
    terminal.close();
  }
}
