import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { keysDone, openExample, type PlayedExample } from "../../test/examples/play-example.ts";
import { verifies } from "../../test/verifies.ts";
import { checkDecision } from "./check.ts";
import { Decision, Need } from "./shapes.ts";
import { listSuppliers, readJson } from "./tools.ts";

let example: PlayedExample;

beforeEach(async () => {
  example = await openExample("procurement", "offers");
});

afterEach(() => example.close());

test(
  "four specialists judge five offers under a supervisor, and the dissent is in the result and in the ledger",
  verifies("X7"),
  async () => {
    const played = await example.play();
    expect(played).toMatchObject({ code: 0, out: expect.stringContaining("Chosen:  alder") });
    expect(played.out).toContain("Dissent: price would take birchline: It costs 65088 of 90000.");
    const [run] = await example.readRuns();
    expect(run?.entries.filter(({ key }) => /\/(?:price|delivery|compliance|risk)$/.test(key)).length).toBeGreaterThan(
      19,
    );
    const why = await example.tutti("why", run?.id ?? "", "--ledger", ".tutti/procurement.db");
    expect(why).toMatchObject({ code: 0, out: expect.stringContaining("veto of compliance") });
  },
);

test("another offer is another choice, and the check says that it was not expected", verifies("X7"), async () => {
  await example.edit("birchline.json", (text) => text.replace("2025-12-31", "2028-12-31"));
  const played = await example.play();
  expect(played).toMatchObject({ code: 1, out: expect.stringContaining("Chosen:  birchline") });
  expect(played.out).toContain("✗ the decision is the one of expected.json");
  expect(played.out).toContain("✓ the choice keeps what is needed, by its file");
});

test("when every offer has a veto, none is chosen, and that is said", verifies("X7"), async () => {
  await example.edit("need.json", (text) => text.replace("90000", "900"));
  const played = await example.play();
  expect(played).toMatchObject({ code: 1, out: expect.stringContaining("Chosen:  none: every offer has a veto.") });
});

test("an offer that can't be read is one clear error", verifies("X7", "K4"), async () => {
  await example.edit("alder.json", (text) => text.replace("398", `"dear"`));
  const played = await example.play();
  expect(played.code).toBe(1);
  expect(played.err).toMatch(/✗ the plan purchase failed: .*the offer of alder can't be read.*\(PLAN_FAILED\)/);
});

test("killed among twenty judgements, it makes none of them twice", verifies("X7", "D2"), async () => {
  const killed = await example.play([], /✔ .*alder.*model/);
  expect(killed.code).toBeNull();
  const before = keysDone((await example.readRuns())[0]?.entries ?? []);
  const played = await example.play();
  expect(played).toMatchObject({ code: 0, out: expect.stringContaining("Chosen:  alder") });
  const done = keysDone((await example.readRuns())[0]?.entries ?? []);
  expect(done.slice(0, before.length)).toEqual(before);
  expect(new Set(done).size).toBe(done.length);
});

test(
  "a choice that breaks a need, a judgement that was not made, and lost dissent are found",
  verifies("X7"),
  async () => {
    await example.play();
    const folder = path.join(example.folder, "offers");
    const need = Need.parse(await readJson(path.join(folder, "need.json")));
    const suppliers = await listSuppliers(folder);
    const failed = await example.look(async (run, tutti) => {
      const said = Decision.parse(await run.result());
      const decision = { ...said, choice: "birchline", dissent: [], opinions: said.opinions.slice(1) };
      const checks = await checkDecision({ folder, need, suppliers, decision, entries: [], tutti });
      return checks.filter(({ problems }) => problems.length > 0).length;
    });
    expect(failed).toBe(5);
  },
);
