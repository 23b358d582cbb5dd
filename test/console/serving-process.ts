// A process that serves the console over a ledger file and counts in a run of it, until it is killed; the next one goes on where this one died.
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";

import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { openServer } from "../../packages/tutti/src/server/open-server.ts";
import { openTokens } from "../../packages/tutti/src/server/tokens.ts";
import { plainFlow } from "../engine/engine-fixture.ts";
import { root } from "../tidy/repository.ts";

/** Slow enough for a page to see some of it before the next death. */
const stepMs = 4;
/** So many steps are done before the page is there again. */
const stepsAhead = 20;

const [folder = "", port = "0", steps = "0", stepsOfLife = "0"] = process.argv.slice(2);
const { promise: isFollowed, resolve: goOn } = Promise.withResolvers<void>();
let done = 0;

async function count(upTo: number): Promise<number> {
  done += 1;
  if (done > stepsAhead) await isFollowed;
  if (done > Number(stepsOfLife)) await once(process.stdin, "end"); // until it is killed
  return pass(stepMs, upTo);
}

const counting = plainFlow("counting", async (run) => {
  for (let upTo = 1; upTo <= Number(steps); upTo++) await run.step("count", () => count(upTo), { timeoutMs: 60_000 });
});
const tutti = await openTutti({
  flows: [counting],
  ledger: join(folder, "ledger.db"),
  durability: "process",
  control: false,
});
const { url } = await openServer(tutti, {
  flows: [counting],
  tokens: openTokens(join(folder, "tokens.json")),
  port: Number(port),
  sessionsFile: join(folder, "sessions.json"),
  consoleFolder: join(root, "packages", "console", "dist"),
});
process.stdout.write(`${url}\n`);
await once(process.stdin, "data");
goOn();
await tutti.start(counting, {}, { id: "counted" });
