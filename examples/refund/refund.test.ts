import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openExample, type PlayedExample } from "../../test/examples/play-example.ts";
import { verifies } from "../../test/verifies.ts";

const here = import.meta.dirname;
let example: PlayedExample;

beforeEach(async () => {
  example = await openExample("refund", "inputs");
});

afterEach(() => example.close());

test(
  "small refunds are the agent's own, larger ones need a lead, large ones two; the past shows what a stricter policy would do",
  { ...verifies("X7", "G3", "G7"), timeout: 120_000 },
  async () => {
    const { code, out, err } = await example.play();
    expect(err).toBe("");
    expect(out).toContain("17.90 were paid");
    expect(out).toContain("noor: approve. It does not count (APPROVAL_FORBIDDEN).");
    expect(out).toContain("lena: approve. It is open.\n      lena: approve. It does not count (APPROVAL_FORBIDDEN).");
    expect(out).toContain("nothing was paid: milo said no: Ask for a photograph first.");
    expect(out).not.toContain("✗");
    expect(code).toBe(0);
    const replayed = await example.tutti("policy", "replay", path.join(here, "stricter.cedar"), "--ledger", ledger);
    expect(replayed.out).toContain("  allow → needs");
    expect(replayed.out).toContain("r-2 /clerk/bank.refund");
    // Its own rules have decided all of it: asked again, they say the same.
    const again = await example.tutti("policy", "replay", path.join(here, "refunds.cedar"), "--ledger", ledger);
    expect(again.out).toContain(" decisions, 0 of them otherwise");
  },
);

test(
  "autonomy is earned with thirty yeses and granted by somebody else; a changed refund comes back as a precedent",
  { ...verifies("X7", "G6", "G8"), timeout: 120_000 },
  async () => {
    const { code, out } = await example.play();
    expect(out).toContain("have level 2 of autonomy for tool/bank.refund? People agreed in 30 of 30 cases.");
    expect(out).toContain("One more of 17.90: it is done, and nobody was asked.");
    expect(out).toContain("(wrong-content: A scratch is worth half.)");
    expect(out).not.toContain("✗");
    expect(code).toBe(0);
    const autonomy = await example.tutti("autonomy", "--ledger", path.join(".tutti", "refund-earned", "ledger.db"));
    expect(autonomy.out).toMatch(/clerk@\S+ .*tool\/bank\.refund/u);
  },
);

test("the policy's cases are decided as wanted, to the cent", { ...verifies("G3"), timeout: 60_000 }, async () => {
  const cases = path.join(here, "refunds.cases.json");
  const { code, out } = await example.tutti("policy", "test", path.join(here, "refunds.cedar"), cases);
  expect(out).toContain("10 of 10 cases are decided as wanted");
  expect(code).toBe(0);
  const stricter = await example.tutti("policy", "test", path.join(here, "stricter.cedar"), cases);
  expect(stricter.code).toBe(1);
});

test("a large refund that only one lead approved is not paid", { ...verifies("G7"), timeout: 120_000 }, async () => {
  await example.edit("desk.json", (text) =>
    text.replace(`{ "request": "r-5", "by": "milo", "verdict": "approve" },\n    `, ""),
  );
  const { code, out } = await example.play();
  expect(code).toBe(0);
  expect(out).toContain("nothing was paid: the run is asking");
  expect(out).not.toContain("1290.00 were paid");
});

const ledger = path.join(".tutti", "refund", "ledger.db");
