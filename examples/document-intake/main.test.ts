import { appendFile, readFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openExample, type PlayedExample } from "../../test/examples/play-example.ts";
import { verifies } from "../../test/verifies.ts";

const ledger = [`--ledger`, path.join(".tutti", "document-intake.db")];
let example: PlayedExample;

beforeEach(async () => {
  example = await openExample("document-intake", "invoices");
});

afterEach(() => example.close());

function booksFile(): string {
  return path.join(example.folder, ".tutti", "document-intake-books.jsonl");
}

async function readReferences(): Promise<unknown[]> {
  const lines = (await readFile(booksFile(), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line)).flatMap((line) => (line.kind === "booking" ? [line.reference] : []));
}

test(
  "invoices are read, checked, approved by a person and booked once; what is over budget is taken back",
  verifies("X7"),
  async () => {
    const first = await example.play();
    expect(first.code).toBe(0);
    expect(first.out).toContain(
      "07-paper-again.txt             returned: it is booked already: B-1, from 01-paper.txt",
    );
    expect(first.out).toMatch(/12-stage\.txt +taken back: .*over budget/);
    expect(await readFile(booksFile(), "utf8")).toContain(`{"kind":"reversal"`);

    const waiting = [...first.out.matchAll(/signal (\S+) approval/g)].map(([, run = ""]) => run);
    expect(waiting).toHaveLength(2);
    const [servers = "", roof = ""] = waiting;
    await example.tutti("signal", servers, "approval", `{"approved": true, "by": "the head of it"}`, ...ledger);
    await example.tutti("signal", roof, "approval", `{"approved": false, "by": "the house keeper"}`, ...ledger);
    const second = await example.play();
    expect(second.out).toMatch(/08-servers\.txt +posted 9600\.00 as B-\d+, approved by the head of it/);
    expect(second.out).toMatch(/10-roof\.txt +refused by the house keeper/);
    expect(second.code).toBe(0);
    expect(await readReferences()).toHaveLength(6);
  },
);

test(
  "killed when a booking is made and nobody has heard of it, it goes on and books nothing twice",
  verifies("X7", "D3"),
  async () => {
    const killed = await example.play(["--die-after", "3"]);
    expect(killed.code).toBeNull();
    expect(await readReferences()).toHaveLength(3);
    const played = await example.play();
    expect(played).toMatchObject({ code: 0, out: expect.stringContaining("posted 810.00 as B-3") });
    const references = await readReferences();
    expect(new Set(references).size).toBe(references.length);
  },
);

test("an invoice that is wrong is returned, and the check says that it was not expected", verifies("X7"), async () => {
  await example.edit("11-stamps.txt", (text) => text.replace("59.00", "95.00"));
  const played = await example.play();
  expect(played.code).toBe(1);
  expect(played.out).toMatch(/11-stamps\.txt +returned: its total is 95\.00, but net and tax make 59\.00/);
  expect(played.out).toContain("✗ every invoice went the way of expected.json");
});

test("a line that somebody doubled in the books is found", verifies("X7"), async () => {
  await example.play();
  const [line] = (await readFile(booksFile(), "utf8")).split("\n");
  await appendFile(booksFile(), `${line}\n`);
  const played = await example.play();
  expect(played).toMatchObject({ code: 1, out: expect.stringContaining("✗ nothing was ever booked twice") });
});
