import { appendFileSync } from "node:fs";

import { z } from "zod";

import { flow, tool } from "../../packages/tutti/src/index.ts";

const mail = tool({
  name: "mail",
  does: "Sends a mail.",
  input: z.object({ to: z.string() }),
  output: z.object({ sent: z.string() }),
  effect: "once",
  preview: ({ to }) => `Dear ${to}`,
  run: ({ to }) => {
    appendFileSync("sent.txt", `${to}\n`);
    return { sent: to };
  },
});

export const asking = flow({
  name: "asking",
  input: z.object({}),
  output: z.object({ sent: z.string(), note: z.string() }),
  async run(run) {
    const { sent } = await run.call(mail, { to: "anna" });
    const note = await run.ask("What shall the note say?", { of: "person:bert", schema: z.string() });
    return { sent, note };
  },
});
