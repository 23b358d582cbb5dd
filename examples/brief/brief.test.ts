import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { given, keysDone, openDesk, quotesIn, said, topic, type Desk } from "./desk.ts";

let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
});

afterEach(async () => {
  await desk.close();
});

test(
  "without a key it researches any folder and publishes a page with quotes of every kind of document",
  verifies("X1", "X7"),
  async () => {
    const played = await desk.play(given);
    expect(played.err).toContain("offline extractive model");
    expect(played.err).not.toContain("Console");
    expect(played.code).toBe(0);
    const page = await desk.readPage(played);
    expect(quotesIn(page)).toEqual(expect.arrayContaining([...said]));
    expect(page).toContain("<h1>Durability, speed and cost of ledgers</h1>");
    expect(page).toContain("library/broken.pdf");
    expect(page).toContain("is no PDF that can be read");
    expect(page).toContain('<svg class="chart"');
    expect(page).toContain("Offline extractive model");
    expect(page).toContain("offline/extractive-1");
    expect(page).not.toContain("Lunch");
  },
);

test("the page is whole in itself, and nothing in it can run", async () => {
  const page = await desk.readPage(
    await desk.play(["--topic", '<script>alert(1)</script> & "durability" of ledgers', "--sources", "library"]),
  );
  expect(page).not.toMatch(/<script|<link|<img|@import|url\(|(?:src|href)="(?:https?:)?\/\//i);
  expect(page).toContain("default-src 'none'");
  expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;durability&quot; of ledgers");
});

test("a start for a page that is there shows it; --again makes another", verifies("D15"), async () => {
  const first = await desk.play(given);
  const second = await desk.play(given);
  expect(second).toMatchObject({ code: 0, out: first.out, err: expect.stringContaining("already there") });
  const third = await desk.play([...given, "--again"]);
  expect(third.out).not.toBe(first.out);
  expect(await readdir(path.join(desk.folder, "out"))).toHaveLength(2);
});

test("when no document answers, the page says so and nothing is made up", async () => {
  const played = await desk.play(["--topic", "Penguins of Antarctica", "--sources", "library"]);
  expect(played.code).toBe(0);
  const page = await desk.readPage(played);
  expect(page).toContain("The documents say nothing about this.");
  expect(page).toContain("No document answers it.");
  expect(page).not.toContain("<blockquote>");
});

test(
  "an out folder that can't be written is one clear error, and the next start makes the page",
  verifies("K4"),
  async () => {
    await writeFile(path.join(desk.folder, "blocked"), "a file, not a folder");
    const failed = await desk.play([...given, "--out", "blocked"]);
    expect(failed).toMatchObject({ code: 1, out: "" });
    expect(failed.err).toContain("✗ the page can't be written into blocked (TOOL_FAILED)");
    expect(failed.err).toContain("--out");
    await rm(path.join(desk.folder, "blocked"));
    expect((await desk.play([...given, "--out", "blocked"])).code).toBe(0);
  },
);

test("a missing sources folder is one clear error", verifies("K4"), async () => {
  const played = await desk.play(["--topic", topic, "--sources", "nowhere"]);
  expect(played).toMatchObject({ code: 1, out: "" });
  expect(played.err.trim().split("\n")).toEqual([
    "✗ there is no folder nowhere (SOURCE_UNREADABLE)",
    "  Check the path; it is taken from the working folder.",
  ]);
});

test("a word on the command line that it does not know is answered with how it is used", verifies("X6"), async () => {
  for (const words of [["--topics", "x"], ["--topic", " "], ["stray"]]) {
    expect(await desk.play(words)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("--sources <folder>"),
    });
  }
});

/** What differs between two runs that do the same. */
function withoutRun(page: string): string {
  return page.replaceAll(/<code>brief-\w+<\/code>/g, "").replaceAll(/<time.*?<\/time>/g, "");
}

test(
  "killed at any moment and started again, it publishes the same page and does nothing twice",
  verifies("D1", "D2", "D3"),
  async () => {
    const whole = await desk.play([...given, "--json"]);
    const entriesInAll = whole.out.split("\n").filter((line) => line.startsWith('{"kind":"entry"')).length;
    const [finished] = await readdir(path.join(desk.folder, "out"));
    const page = withoutRun(await readFile(path.join(desk.folder, "out", finished ?? ""), "utf8"));
    for (const part of [0.05, 0.3, 0.5, 0.7, 0.9, 0.97]) {
      await rm(path.join(desk.folder, ".tutti"), { recursive: true });
      await rm(path.join(desk.folder, "out"), { recursive: true, force: true });
      const killed = await desk.play([...given, "--json"], { killAfter: Math.ceil(entriesInAll * part) });
      // Near its end the job may be over before the kill comes.
      expect(killed.code === null || part > 0.9).toBe(true);
      const before = new Set(keysDone((await desk.readRuns())[0]?.entries ?? []));
      const second = await desk.play([...given, "--json"]);
      expect(second.code).toBe(0);
      const started = [...second.out.matchAll(/"step-started","key":"([^"]+)"/g)].map(([, key]) => key);
      expect(started.filter((key) => before.has(key ?? ""))).toEqual([]);
      const runs = await desk.readRuns();
      expect(runs).toMatchObject([{ status: "done" }]);
      const done = keysDone(runs[0]?.entries ?? []);
      expect(new Set(done).size).toBe(done.length);
      expect(withoutRun(await readFile(path.join(desk.folder, "out", finished ?? ""), "utf8"))).toBe(page);
      expect(await readdir(path.join(desk.folder, "out"))).toEqual([finished]);
    }
  },
);

test(
  "--crash kills the job, starts it again, and shows from the ledger that nothing ran twice",
  verifies("X7", "G12"),
  async () => {
    const played = await desk.play([...given, "--crash"]);
    expect(played.err).toContain("SIGKILL");
    expect(played.err).toContain("0 steps ran twice, 0 effects twice, chain intact");
    expect(played.code).toBe(0);
  },
);

test(
  "with --approve the page waits for a person's yes, over processes, and a no is an end",
  verifies("G3", "G4"),
  async () => {
    const asked = await desk.play([...given, "--approve"]);
    expect(asked).toMatchObject({ code: 4, out: "" });
    expect(asked.err).toContain("What changes something outside needs a person's approval");
    expect(asked.err).toMatch(/npm run tutti -- approve \w+:\w+ --ledger/u);
    // A pipe that asks nobody is no way around what a person has asked for.
    expect(await desk.play(given)).toMatchObject({ code: 4, out: "" });
    const no = await desk.play([...given, "--approve"], { typed: "not in this form\n" });
    expect(no).toMatchObject({ code: 1, out: "" });
    expect(no.err).toContain("said no: not in this form (APPROVAL_REJECTED)");
    expect(await readdir(desk.folder)).not.toContain("out");
    const yes = await desk.play([...given, "--approve"], { typed: "yes\n" });
    expect(yes.code).toBe(0);
    expect(await desk.readPage(yes)).toContain("<h1>");
  },
);

test("what was begun without asking is not published as if somebody had been asked", verifies("G4"), async () => {
  await desk.play([...given, "--json"], { killAfter: 5 });
  const late = await desk.play([...given, "--approve"], { typed: "yes\n" });
  expect(late).toMatchObject({ code: 2, out: "" });
  expect(late.err).toContain("--again --approve");
});
