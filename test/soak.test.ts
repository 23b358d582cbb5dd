import { expect, test } from "vitest";

import { describeSoak, soak } from "./soak/soak.ts";
import { verifies } from "./verifies.ts";

/** Another course of events every time TUTTI_SEED changes; `npm run soak` takes as many kills as you like. */
const seed = Number(process.env["TUTTI_SEED"] ?? "20261120");

test(
  "a worker killed 50 times by SIGKILL does nothing twice, loses nothing, keeps quiet about nothing, and finishes every run",
  { ...verifies("D1", "D2", "D3"), timeout: 180_000 },
  async ({ annotate }) => {
    const result = await soak({ kills: 50, seed });
    await annotate(describeSoak(result));
    expect(result.findings).toEqual([]);
    expect(result.kills).toBe(50);
    // The soak was not empty: every way out of a crash was taken.
    expect(Object.entries(result.tally).filter(([, times]) => times === 0)).toEqual([]);
  },
);
