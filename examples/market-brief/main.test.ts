import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { keysDone, openExample, type PlayedExample } from "../../test/examples/play-example.ts";
import { verifies } from "../../test/verifies.ts";
import { BriefOutput } from "./brief-flow.ts";
import { checkBrief } from "./check.ts";
import { Assignment } from "./source-server.ts";

let example: PlayedExample;

beforeEach(async () => {
  example = await openExample("market-brief", "sources");
});

afterEach(() => example.close());

test(
  "three agents read at once, one source is down, and the brief says so and quotes the other two",
  verifies("X7"),
  async () => {
    const played = await example.play();
    expect(played).toMatchObject({ code: 0, out: expect.stringContaining("Without city-statistics") });
    expect(played.out).not.toContain("✗");
    const page = await readFile(path.join(example.folder, "out/market-brief.md"), "utf8");
    expect(page).toContain("> Demand for new bikes grew by 12 percent.\n> (dealer-survey)");
    const [run] = await example.readRuns();
    const asked = run?.entries.findIndex(({ kind }) => kind === "step-done") ?? -1;
    const started = run?.entries.slice(0, asked).filter(({ kind }) => kind === "agent-started");
    expect(started?.map(({ key }) => key)).toEqual(["/read/0/reader", "/read/1/reader", "/read/2/reader"]);
    expect(await example.play()).toMatchObject({ code: 0, out: played.out });
  },
);

test("a source that comes back is in the next brief; what it says was not expected", verifies("X7"), async () => {
  await example.edit("sources.json", (text) => text.replace(`, "answers": 503`, ""));
  const played = await example.play();
  expect(played.code).toBe(1);
  expect(played.out).toContain("Demand: up, in 3 of 3 sources (12 percent).");
  expect(played.out).toMatch(/✗ the claims are those of expected.json/);
});

test("a source that is too slow is left out after its time", verifies("X7"), async () => {
  await example.edit("sources.json", (text) => text.replace(`"answers": 503`, `"delayMs": 9000`));
  expect(await example.play()).toMatchObject({ code: 0, out: expect.stringContaining("Without city-statistics") });
});

test("with two sources down there is no brief, and one clear error", verifies("X7"), async () => {
  await example.edit("sources.json", (text) => text.replace(`press.md"`, `press.md", "answers": 500`));
  const played = await example.play();
  expect(played).toMatchObject({ code: 1, err: expect.stringContaining("(BRANCHES_FAILED)") });
});

test("killed while a source is read, it goes on without reading the others again", verifies("X7", "D2"), async () => {
  await example.edit("sources.json", (text) => text.replace(`"answers": 503`, `"answers": 503, "delayMs": 500`));
  const killed = await example.play([], /✔ \/read\/1\/reader {2}/);
  expect(killed.code).toBeNull();
  const before = keysDone((await example.readRuns())[0]?.entries ?? []);
  expect(before).toContain("/read/0/reader/source.read:call-1");
  const played = await example.play();
  expect(played).toMatchObject({ code: 0, out: expect.stringContaining("✓ the ledger is intact") });
  const done = keysDone((await example.readRuns())[0]?.entries ?? []);
  expect(done.slice(0, before.length)).toEqual(before);
  expect(new Set(done).size).toBe(done.length);
});

test("a quote that no source has, and a figure that no quote has, are found", verifies("X7"), async () => {
  await example.play();
  const folder = path.join(example.folder, "sources");
  const assignment = Assignment.parse(JSON.parse(await readFile(path.join(folder, "sources.json"), "utf8")));
  const failed = await example.look(async (run, tutti) => {
    const brief = BriefOutput.parse(await run.result());
    const claims = brief.claims.map((claim) => ({
      ...claim,
      text: `${claim.text} Really.`,
      figures: ["99 percent"],
      quotes: claim.quotes.map((quote) => ({ ...quote, quote: "Nobody said this." })),
    }));
    const planted = { ...brief, claims, path: path.join(example.folder, brief.path) };
    const entries = await run.entries();
    const twice = [...entries, ...entries];
    const checks = await checkBrief({ folder, assignment, brief: planted, entries: twice, tutti });
    return checks.filter(({ problems }) => problems.length > 0).length;
  });
  expect(failed).toBe(5);
});
