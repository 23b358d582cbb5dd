import { expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { play } from "../stage/play.ts";

test(
  "three readers come to one answer per field, dissent is kept, and what nobody can settle is escalated",
  verifies("X7", "C13"),
  async () => {
    const { code, out, err } = await play("conflicting-extractions");
    expect(err).toBe("");
    expect(out).toContain("against: terms-literal reads noticeDays as 30");
    expect(out).toContain("It says itself that it replaces the other.");
    expect(out).toMatch(/harbour: .* 1150 EUR a month.*\n +by the clerk/);
    expect(code).toBe(0);
  },
);

test("two readers with one mistake outvote the third, and the program says so", async () => {
  const fault = {
    file: "readers.ts",
    from: 'startsOn: findLabel(text, "Effective date")',
    to: 'startsOn: toDate(all(text, dates)[0], "day-first")',
  };
  const { code, out } = await play("conflicting-extractions", [fault]);
  expect(out).toContain("✗ every contract was read as a person reads it");
  expect(code).toBe(1);
});

test("another contract says another thing, and without the clerk's answer it waits", async () => {
  const changes = [
    { file: "inputs/contracts/aurora.txt", from: "Monthly fee: 1200 EUR", to: "Monthly fee: 1250 EUR" },
    { file: "inputs/clerk.json", from: '"harbour"', to: '"nobody"' },
  ];
  const { code, out } = await play("conflicting-extractions", changes);
  expect(out).toContain("1250 EUR a month");
  expect(out).toMatch(/Still waiting for a clerk\n +harbour/);
  expect(code).toBe(1);
});
