import { z } from "zod";

import { flow, tool } from "../../packages/tutti/src/index.ts";
import { team } from "../../packages/tutti/src/teams.ts";

const look = tool({
  name: "look",
  does: "Looks.",
  input: z.object({}),
  output: z.object({ seen: z.number() }),
  effect: "read",
  run: () => ({ seen: 7 }),
});

const clerk = team({
  name: "clerk",
  does: "Looks for somebody.",
  input: z.object({}),
  output: z.object({ seen: z.number() }),
  members: [look],
  permissions: { tools: { look: {} } },
  how: async (run) => ({ output: await run.call(look, {}) }),
});

export const acting = flow({
  name: "acting",
  input: z.object({}),
  output: z.object({ seen: z.number() }),
  run: (run) => run.call(clerk, {}),
});
