import { expect, test } from "vitest";

import { verifies } from "../verifies.ts";
import { contend } from "./contention.ts";

const shape = { agents: 8, steps: 400, hot: 0.5 } as const;

test.for([1, 2])(
  "stopping stale work at once saves at least a quarter of all work, and neither way loses an update (seed %i)",
  verifies("S2"),
  async (seed) => {
    const atCommit = await contend({ ...shape, seed, invalidation: "commit" });
    const atOnce = await contend({ ...shape, seed, invalidation: "push" });
    const nothingLost = { commits: 400, lostUpdates: 0, staleCommits: 0, anomalies: [] };
    expect(atCommit).toMatchObject(nothingLost);
    expect(atOnce).toMatchObject(nothingLost);
    expect(atOnce.workS).toBeLessThanOrEqual(0.75 * atCommit.workS);
  },
);
