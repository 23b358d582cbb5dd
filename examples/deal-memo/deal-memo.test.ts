import { expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { play } from "../stage/play.ts";

test(
  "a memo is filed with the yes of a senior banker who did not ask for it; a no has it written again, an edit is checked again",
  { ...verifies("X7", "G3", "G4", "G7"), timeout: 180_000 },
  async () => {
    const { code, out, err } = await play("deal-memo");
    expect(err).toBe("");
    expect(out).toContain("dana started the run, and somebody else has to decide (APPROVAL_FORBIDDEN)");
    expect(out).toContain("this is not for erik to decide (APPROVAL_FORBIDDEN)");
    // The banker's reason brought the sentence, her invented number was refused at once, her invented quote after the yes.
    expect(out).toContain("says 130 (INPUT_INVALID)");
    expect(out).toMatch(/told: .*"crm" does not say "Its largest customer accounts for 14 percent/u);
    expect(out).toContain("To be weighed: Its largest customer accounts for 41 percent of revenue");
    expect(out).not.toContain("✗");
    expect(code).toBe(0);
  },
);

test(
  "without the rule of four eyes a memo goes out on the yes of who asked for it, and the program says so",
  { ...verifies("X7"), timeout: 180_000 },
  async () => {
    const { code, out } = await play("deal-memo", [
      { file: "deal-memo.cedar", from: ` @distinct("initiator")`, to: "" },
      {
        file: "inputs/desk.json",
        from: `"votes": [{ "by": "femke", "verdict": "approve" }]`,
        to: `"votes": [{ "by": "dana", "verdict": "approve" }]`,
      },
      { file: "inputs/desk.json", from: `{ "by": "dana", "verdict": "approve" },\n        `, to: "" },
    ]);
    expect(out).toContain("✗ each memo was filed on the yes of one senior banker, and not of who asked for it");
    expect(code).toBe(1);
  },
);

test(
  "a sentence whose number is in no source does not reach a banker",
  { ...verifies("G2"), timeout: 180_000 },
  async () => {
    const { code, out, err } = await play("deal-memo", [
      { file: "narrator.ts", from: `by === "check"`, to: `by === "banker"` },
    ]);
    expect(out + err).not.toContain("│ Memorandum");
    expect(code).toBe(1);
  },
);
