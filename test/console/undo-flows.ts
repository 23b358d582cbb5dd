import { z } from "zod";

import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";

const room = z.object({ room: z.string() });
const once = { input: room, output: room, effect: "once", run: async (at: z.infer<typeof room>) => at } as const;

const book = tool({ ...once, name: "hotel.book", does: "Books a room.", undo: async () => {} });
const tell = tool({ ...once, name: "mail.tell", does: "Tells the guest." });
const hold = tool({ ...once, name: "hotel.hold", does: "Holds a room for a day.", undo: async () => {} });

/** Asks before the one call that it makes. */
export const holds = flow({ name: "holds", input: room, output: room, run: (run, input) => run.call(hold, input) });
export const askingTool = hold.name;

/** Books a room, tells the guest, and fails when it is paid for. */
export const trip = flow({
  name: "trip",
  input: room,
  output: z.string(),
  run: async (run, input) => {
    const found = await run.step("look", async () => "a quiet room on the third floor");
    await run.call(book, input);
    await run.call(tell, input);
    await run.step("pay", async () => Promise.reject(new Error("the card was refused")));
    return found;
  },
});
