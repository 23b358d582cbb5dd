import { expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { play } from "../stage/play.ts";

test("a plan's loop goes on until the check passes, and ends at its bound", verifies("X7", "C3", "C14"), async () => {
  const { code, out, err } = await play("draft-until-good");
  expect(err).toBe("");
  expect(out).toMatch(/release: .*\n(?: +round \d .*\n){2,6} +published: /);
  expect(out).toContain("not published after 6 rounds, a person is needed: too long");
  expect(code).toBe(0);
});

test("a check that accepts everything publishes what is not good, and the program says so", async () => {
  const fault = { file: "crew.ts", from: "accepted: points.length === 0", to: "accepted: true" };
  const { code, out } = await play("draft-until-good", [fault]);
  expect(out).toContain("✗ release: only what is good is published");
  expect(code).toBe(1);
});

test("another brief gives another text, another bound other rounds", async () => {
  const changes = [
    { file: "inputs/briefs/closing.json", from: "18:00", to: "20:30" },
    { file: "inputs/plan.json", from: '"max": 6', to: '"max": 9' },
  ];
  const { code, out } = await play("draft-until-good", changes);
  expect(out).toContain("the library closes at 20:30");
  expect(out).toContain("not published after 9 rounds");
  expect(code).toBe(0);
});
