import { readFile } from "node:fs/promises";
import path from "node:path";

import { bodyOf } from "tutti";
import { afterEach, beforeEach, expect, test } from "vitest";

import { keysDone, openExample, type PlayedExample } from "../../test/examples/play-example.ts";
import { verifies } from "../../test/verifies.ts";
import { checkTriage } from "./check.ts";
import { TriageInput, TriageOutput } from "./triage-flow.ts";

let example: PlayedExample;

beforeEach(async () => {
  example = await openExample("support-triage", "desk");
});

afterEach(() => example.close());

test(
  "peers pass tickets on; one refuses and says why, and a ticket that goes in circles is put before a person",
  verifies("X7"),
  async () => {
    const played = await example.play();
    expect(played.code).toBe(0);
    expect(played.out).toMatch(/billing refuses, back to reception: .*nobody says which order it is about/);
    expect(played.out).toContain("billing answers: Your invoice for the coffee mill is I-4711 of 2026-01-12.");
    const letter = await readFile(path.join(example.folder, "out/support/for-people/04-charged-or-not.txt"), "utf8");
    expect(letter).toContain("reception → billing → technical → billing → technical");
    expect(letter).toContain("my card was charged");
    const sent = (await example.readRuns())[0]?.entries.filter(({ kind }) => kind === "message-sent") ?? [];
    expect(sent.filter(({ key }) => key.startsWith("/tickets/1/"))).toHaveLength(4);
  },
);

test(
  "a ticket that says more is not refused, and the check says that this was not expected",
  verifies("X7"),
  async () => {
    await example.edit("tickets/02-invoice-missing.txt", (text) => text.replace("mill.", "mill, order A-1002."));
    const played = await example.play();
    expect(played.code).toBe(1);
    expect(played.out).toContain(
      `02-invoice-missing: expected "reception billing ! reception billing", went "reception billing"`,
    );
  },
);

test("killed while peers pass tickets on, it asks none of them again", verifies("X7", "D2"), async () => {
  const killed = await example.play([], /✔ \/tickets\/0\/desk\/reception {2}/);
  expect(killed.code).toBeNull();
  const before = keysDone((await example.readRuns())[0]?.entries ?? []);
  const played = await example.play();
  expect(played).toMatchObject({ code: 0, out: expect.stringContaining("✓ the ledger is intact") });
  const done = keysDone((await example.readRuns())[0]?.entries ?? []);
  expect(done.slice(0, before.length)).toEqual(before);
  expect(new Set(done).size).toBe(done.length);
});

test(
  "an answer that leans on nothing, a lost ticket, and a refusal without a reason are found",
  verifies("X7"),
  async () => {
    await example.play();
    const folder = path.join(example.folder, "desk");
    const failed = await example.look(async (run, tutti) => {
      const entries = await run.entries();
      const started = entries.find(({ kind }) => kind === "run-started");
      const { tickets } = TriageInput.parse(started === undefined ? {} : bodyOf(started, "run-started").input);
      const said = TriageOutput.parse(await run.result()).closed.slice(1);
      const closed = said.map((each) => ({
        ...each,
        path: path.join(example.folder, each.path),
        ...(each.kind === "answered" ? { answer: { ...each.answer, leansOn: ["a word that is nowhere"] } } : {}),
      }));
      const silent = [...entries, ...entries].filter(({ kind }) => kind !== "step-failed");
      const checks = await checkTriage({ folder, tickets, closed, entries: silent, tutti });
      return checks.filter(({ problems }) => problems.length > 0).length;
    });
    expect(failed).toBe(5);
  },
);
