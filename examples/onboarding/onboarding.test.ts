import { expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { play } from "../stage/play.ts";

test(
  "whatever fails around it, a sign-up leads to one mail, one task and a whole profile or none",
  { ...verifies("X7", "D3", "D15"), timeout: 180_000 },
  async () => {
    const { code, out, err } = await play("onboarding", [], ["--faults", "100"]);
    expect(err).toBe("");
    expect(out).toMatch(/plain calls +[2-9] +[2-9] +3\n +with Tutti +1 +1 +3/);
    expect(out).toContain("mails, tasks    100 mails, 100 tasks");
    expect(out).toContain("✓ every run came to its end, is explained by its ledger");
    expect(code).toBe(0);
  },
);

test(
  "a check that says `not done` without asking sends mails twice, and the program says so",
  { timeout: 180_000 },
  async () => {
    const fault = {
      file: "tools.ts",
      from: 'check: (_mail, { idempotencyKey }) => client.find(toPath("mails", idempotencyKey))',
      to: "check: () => undefined",
    };
    const { code, out } = await play("onboarding", [fault], ["--faults", "30"]);
    expect(out).toContain("✗ exactly one mail and one task for each of 30 sign-ups");
    expect(out).toMatch(/seed \d+: \d mails were sent/);
    expect(code).toBe(1);
  },
);

test("another customer gets another mail, owner and segment", { timeout: 180_000 }, async () => {
  const change = {
    file: "inputs/sign-ups.json",
    from: '"employees": 340,\n    "country": "GB"',
    to: '"employees": 20, "country": "DE"',
  };
  const { code, out } = await play("onboarding", [change]);
  expect(code).toBe(0);
  expect(out).toContain("“Willkommen” to ada@lovelace.example; success calls in 7 days; segment small");
  expect((await play("onboarding")).out).toContain(
    "“Welcome” to ada@lovelace.example; sales calls in 1 day; segment enterprise",
  );
});
