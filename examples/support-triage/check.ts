import { readFile } from "node:fs/promises";
import path from "node:path";

import { bodyOf, type LedgerEntry, type Tutti } from "tutti";
import { z } from "zod";

import { findLedgerProblems, type Check } from "../stage/check.ts";
import type { Closed, Ticket } from "./shapes.ts";
import { readJson } from "./tools.ts";

/** One hand-off, as the ledger has it. */
export interface Message {
  readonly from: string;
  readonly to: string;
  readonly isReturned: boolean;
  readonly why: string;
}

export interface Checked {
  readonly folder: string;
  readonly tickets: readonly Ticket[];
  readonly closed: readonly Closed[];
  readonly entries: readonly LedgerEntry[];
  readonly tutti: Tutti;
}

/** Holds what came of the tickets against the files and the ledger: nothing of what the peers said is taken on trust. */
export async function checkTriage(checked: Checked): Promise<Check[]> {
  return [
    { what: "every ticket is closed once, and its letter is in the box", problems: await findLost(checked) },
    { what: "every answer leans on words in our files", problems: await findInvented(checked) },
    { what: "who refused a ticket said why", problems: findSilentRefusals(checked) },
    { what: "every ticket went the way of expected.json", problems: await compareWithExpected(checked) },
    {
      what: "the ledger is intact, and no step was done twice",
      problems: await findLedgerProblems(checked.tutti, checked.entries),
    },
  ];
}

/** The hand-offs of a ticket, in order; who refused says why. */
export function toMessages(entries: readonly LedgerEntry[], ticket: number): Message[] {
  const sent = entries.filter(({ kind, key }) => kind === "message-sent" && key.startsWith(`/tickets/${ticket}/`));
  return sent.map((entry) => {
    const { from, to, intent, note = "", inReplyTo } = bodyOf(entry, "message-sent");
    if (intent !== "return") return { from, to, isReturned: false, why: note };
    const refused = sent.find(({ key }) => key === inReplyTo);
    const reader = refused === undefined ? undefined : bodyOf(refused, "message-sent").readBy;
    const failed = entries.find(({ kind, key }) => kind === "step-failed" && key === `${reader}/needs`);
    return { from, to, isReturned: true, why: failed === undefined ? "" : bodyOf(failed, "step-failed").error.message };
  });
}

async function findLost({ tickets, closed }: Checked): Promise<string[]> {
  const problems = tickets
    .filter(({ name }) => closed.filter(({ ticket }) => ticket === name).length !== 1)
    .map(({ name }) => `${name} is not closed once`);
  for (const each of closed) {
    const letter = await readFile(each.path, "utf8");
    if (!letter.includes(each.kind === "answered" ? each.answer.text : each.why))
      problems.push(`${each.path} is wrong`);
  }
  return problems;
}

async function findInvented({ folder, closed }: Checked): Promise<string[]> {
  const files = await Promise.all(
    ["orders.json", "manual.json"].map((file) => readFile(path.join(folder, file), "utf8")),
  );
  return closed.flatMap((each) =>
    each.kind === "escalated"
      ? []
      : each.answer.leansOn
          .filter((words) => !files.some((text) => text.includes(words)) || !each.answer.text.includes(words))
          .map((words) => `${each.ticket}: ${words}`),
  );
}

function findSilentRefusals({ tickets, entries }: Checked): string[] {
  const messages = tickets.flatMap((_, index) => toMessages(entries, index));
  return messages
    .filter(({ isReturned, why }) => isReturned && why === "")
    .map(({ from }) => `${from} did not say why`);
}

/** The way of each ticket: names of peers, a refusal as `!`, and `person` at the end of one that was escalated. */
async function compareWithExpected({ folder, tickets, closed, entries }: Checked): Promise<string[]> {
  const expected = z.record(z.string(), z.string()).parse(await readJson(path.join(folder, "expected.json")));
  const names = new Set([...Object.keys(expected), ...tickets.map(({ name }) => name)]);
  return [...names].flatMap((name) => {
    const index = tickets.findIndex((ticket) => ticket.name === name);
    const end = closed.find(({ ticket }) => ticket === name)?.kind === "escalated" ? " person" : "";
    const way = toMessages(entries, index).map(({ to, isReturned }) => `${isReturned ? "! " : ""}${to}`);
    const went = `${way.join(" ")}${end}`;
    return went === expected[name] ? [] : [`${name}: expected "${expected[name] ?? ""}", went "${went}"`];
  });
}
