import { readFileSync, rmSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, expect, test } from "vitest";

import {
  openAuditFolder,
  replaceEntries,
  reseal,
  verifyFolder,
  writeRuns,
  type AuditFolder,
  type RawEntry,
} from "../../../../test/audit/audit-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toAuditFolder } from "./audit-file.ts";

let audited: AuditFolder;
beforeAll(async () => {
  audited = openAuditFolder();
  await audited.write((ledger) => writeRuns(ledger, { one: "", two: "", three: "" }));
  await audited.checkpoint();
});
afterAll(() => audited[Symbol.dispose]());

type Entries = readonly RawEntry[];

/** A step in the middle of the second run: number 7 of twelve. */
const middle = 6;

function edit(entries: Entries, replace: (body: string) => string): Entries {
  return entries.map((entry, at) => (at === middle + 1 ? { ...entry, body: replace(entry.body) } : entry));
}

function swap(entries: Entries): Entries {
  const [left, right] = [entries[middle], entries[middle + 1]];
  if (left === undefined || right === undefined) throw new Error("there are twelve entries");
  return entries
    .with(middle, { ...right, lsn: left.lsn, seq: left.seq })
    .with(middle + 1, { ...left, lsn: right.lsn, seq: right.seq });
}

function forge(entries: Entries): Entries {
  const last = entries.at(-1);
  return last === undefined
    ? []
    : [...entries, { ...last, kind: "step-done", key: "/forged", body: `{"out":"forged"}` }];
}

/** The eleven ways of the reference; who recomputes hashes is the one who can. */
const classes: Readonly<Record<string, (entries: Entries) => Entries>> = {
  "edit a decision": (entries) => edit(entries, (body) => body.replace("allow", "denys")),
  "edit an amount": (entries) => edit(entries, (body) => body.replace("300", "999")),
  "add a field": (entries) => edit(entries, (body) => body.replace("{", `{"note":1,`)),
  "delete from the middle": (entries) => entries.toSpliced(middle, 1),
  "swap two entries": swap,
  "drop the head": (entries) => entries.slice(1),
  "truncate the tail": (entries) => entries.slice(0, -2),
  "rewrite the chain without one agent": (entries) => reseal(entries.filter(({ run }) => run !== "two")),
  "empty the log": () => [],
  "edit and rewrite the suffix": (entries) => reseal(edit(entries, (body) => body.replace("300", "999"))),
  "append a forged entry": (entries) => reseal(forge(entries)),
};

const ways = ["chain only", "+ outside checkpoint", "+ signatures"] as const;

/** Which ways find it, on the real file. */
async function findBy(change: (entries: Entries) => Entries): Promise<readonly boolean[]> {
  const whole = readFileSync(audited.file);
  try {
    replaceEntries(audited.file, change);
    const { findings, unsigned } = await verifyFolder(audited, [audited.anchor]);
    const chain = findings.some(({ kind }) => kind === "chain");
    const past = chain || findings.some(({ kind }) => kind === "past");
    return [chain, past, past || unsigned > 0];
  } finally {
    for (const ending of ["-wal", "-shm"]) rmSync(audited.file + ending, { force: true });
    writeFileSync(audited.file, whole);
  }
}

test("nothing is found in an untouched ledger", verifies("G12"), async () => {
  expect(await findBy((entries) => entries)).toEqual([false, false, false]);
});

test(
  "the anchor and the signatures find all eleven ways of changing a ledger; the table in the documents is what was measured",
  verifies("G12"),
  async () => {
    const rows: string[] = [];
    for (const [name, change] of Object.entries(classes)) {
      const found = await findBy(change);
      expect([name, found.at(-1)]).toEqual([name, true]);
      rows.push(`| ${name} | ${found.map((is) => (is ? "found" : "**missed**")).join(" | ")} |`);
    }
    const table = [`| change | ${ways.join(" | ")} |`, "|---|---|---|---|", ...rows].join("\n");
    const page = new URL("../../../../docs/audit.md", import.meta.url);
    expect(readFileSync(page, "utf8")).toContain(table);
  },
);

test(
  "a person who writes ledger, checkpoints and key anew is found by what the anchor keeps, and by nothing else",
  verifies("G12"),
  async () => {
    using other = openAuditFolder();
    await other.write((ledger) => writeRuns(ledger, { one: "", two: "" }));
    await other.checkpoint();
    replaceEntries(other.file, (entries) => reseal(edit(entries, (body) => body.replace("300", "999"))));
    rmSync(toAuditFolder(other.file), { recursive: true });
    await other.checkpoint([]); // a key and a log of their own
    expect((await verifyFolder(other, [])).findings).toEqual([]);
    const { findings } = await verifyFolder(other, [other.anchor]);
    expect(findings).not.toEqual([]);
  },
);
