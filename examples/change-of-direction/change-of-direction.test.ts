import { expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { play } from "../stage/play.ts";

test(
  "a person's word stops the question that is under way, no other is asked without it, and a freeze lets nothing begin",
  { ...verifies("X7", "G5", "G14"), timeout: 120_000 },
  async () => {
    const { code, out, err } = await play("change-of-direction");
    expect(err).toBe("");
    expect(out).toContain("1 question stopped; it is directive 1 of the run");
    expect(out).toContain("the run is frozen; another that is started now is frozen");
    expect(out).toContain(
      "board: Gdansk, 308000 euros a year, the least of 3. Passed over: Osaka, Toronto. Under: EU only.",
    );
    expect(out).toContain("second, to which nobody said anything: Osaka");
    expect(out).not.toContain("✗");
    expect(code).toBe(0);
  },
);

test(
  "agents that do not hear what people say, and a freeze that nobody sets, are found",
  { ...verifies("X7"), timeout: 120_000 },
  async () => {
    const deaf = await play("change-of-direction", [
      { file: "thinker.ts", from: `!constraints.includes("EU only") ||`, to: `constraints.length >= 0 ||` },
    ]);
    expect(deaf.out).toContain("✗ the advice is the cheapest place of the EU, worked out by hand");
    expect(deaf.code).toBe(1);
    const unfrozen = await play("change-of-direction", [
      { file: "main.ts", from: `await tutti.freeze({ reach: "all" }, freeze);`, to: "" },
      { file: "main.ts", from: `await tutti.unfreeze({ reach: "all" }, freeze);`, to: "" },
    ]);
    expect(unfrozen.out).toContain("✗ while it was frozen nothing began: no question, no step, no letter");
    expect(unfrozen.code).toBe(1);
  },
);
