import { setTimeout as sleep } from "node:timers/promises";

import { Work } from "./crew.ts";
import { openFinder } from "./finder.ts";

/** An agent in a process of its own: it says that it has begun, thinks for a while, and answers. */
const thinkMs = 60;
const [library = ""] = process.argv.slice(2);
const find = await openFinder(library);

process.on("message", (message) => {
  const { id, fence, question } = Work.parse(message);
  process.send?.({ kind: "begun", id, fence });
  void sleep(thinkMs)
    .then(() => find(question))
    .then((answer) => process.send?.({ kind: "answered", id, fence, answer }));
});
process.on("disconnect", () => process.exit(0));
process.send?.({ kind: "ready" });
