import { expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { play } from "../stage/play.ts";

test(
  "a delay and a low stock lead to one reorder and one notice each, however events come",
  verifies("X7", "C9", "D4", "D15"),
  async () => {
    const { code, out, err } = await play("supply-chain");
    expect(err).toBe("");
    expect(out).toContain("purchase  500 × bearing-608 from Nordlager, because S-77 is late");
    expect(out).toContain("✓ two agents wanted the same notices");
    expect(code).toBe(0);
  },
);

test("notices that have no common key are sent twice, and the program says so", async () => {
  const fault = {
    file: "outbox.ts",
    from: "key: ({ order, shipment }) => `${order}/${shipment}`,",
    to: 'scope: "run",',
  };
  const { code, out } = await play("supply-chain", [fault]);
  expect(out).toContain("✗ what left the house is what the events call for, each once");
  expect(code).toBe(1);
});

test("other events call for other actions", async () => {
  const change = {
    file: "inputs/events.jsonl",
    from: '"part": "belt-gt2", "level": 230',
    to: '"part": "belt-gt2", "level": 30',
  };
  const { code, out } = await play("supply-chain", [change]);
  expect(out).toContain("purchase  300 × belt-gt2 from Riemen & Co, because S-80 is late");
  expect(out).toContain("notice    Print Farm Nine: C-1004 comes 3 days later");
  expect(code).toBe(0);
});
