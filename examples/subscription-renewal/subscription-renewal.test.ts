import { expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { play } from "../stage/play.ts";

test(
  "reminders of weeks are sent once each, over processes that are killed, and waiting costs nothing",
  { ...verifies("X7", "D1", "D9"), timeout: 180_000 },
  async () => {
    const { code, out, err } = await play("subscription-renewal");
    expect(err).toBe("");
    // It was due on the 11th, when no process was there.
    expect(out).toContain("printfarm: 90 EUR are due in 30 days (03-13)");
    expect(out).toContain("aurora: renewed (04-18)");
    expect(out).toContain("lighthouse: lapsed (04-20)");
    expect(code).toBe(0);
  },
);

test(
  "an answer that nobody heeds leads to reminders that should not be, and the program says so",
  { timeout: 180_000 },
  async () => {
    const fault = {
      file: "renewal.ts",
      from: "if (reply !== undefined) {",
      to: "if (reply !== undefined && days < 3) {",
    };
    const { code, out } = await play("subscription-renewal", [fault]);
    expect(out).toContain("✗ each reminder was sent once, none too early, none after an answer");
    expect(code).toBe(1);
  },
);
