import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { expect, onTestFinished, test, vi } from "vitest";

import { makeGate, makeLedgerFile, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { passTimeUntil } from "../../../../../test/otlp/pass-time.ts";
import { paying } from "../../../../../test/otlp/paying-flow.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { openTutti } from "../open-tutti.ts";

/** What a webhook was posted, as a CloudEvent. */
interface Posted {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
}

interface Hook {
  readonly url: string;
  readonly posted: readonly Posted[];
}

/** A webhook; `answer` says the status of each post by its number, or nothing for none at all. */
async function openHook(answer: (post: number) => number | undefined): Promise<Hook> {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what has another form is seen by the test
      posted.push(JSON.parse(body) as Posted);
      const status = answer(posted.length);
      if (status !== undefined) response.writeHead(status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has such an address
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, posted };
}

const program = fileURLToPath(new URL("../../../../../test/otlp/alerting-process.ts", import.meta.url));

test(
  "who is killed before the webhook has answered tells it again in the next life, under the same id, and then no more",
  verifies("O10", "D1"),
  async () => {
    const file = await makeLedgerFile();
    const { promise: isPosted, resolve: onPost } = Promise.withResolvers<void>();
    const hook = await openHook((post) => {
      if (post > 1) return 200;
      onPost();
      return undefined;
    });
    const child = spawn(process.execPath, ["--conditions=tutti-source", program, file, hook.url], { stdio: "inherit" });
    await isPosted;
    const died = once(child, "exit");
    child.kill("SIGKILL");
    await died;
    const stage = openStage();
    const lives = { flows: [paying], ledger: file, clock: stage.clock, control: false } as const;
    const telemetry = { alerts: { url: hook.url, rules: { inDoubt: {} } } };
    for (let life = 0; life < 2; life++) {
      const tutti = await openTutti({ ...lives, telemetry });
      while (hook.posted.length < 2) await stage.clock.advance(1_000);
      for (let look = 0; look < 5; look++) await stage.clock.advance(15_000);
      await tutti.close();
    }
    expect(hook.posted.map(({ type }) => type)).toEqual(["tutti.alert.fired", "tutti.alert.fired"]);
    expect(new Set(hook.posted.map(({ id }) => id)).size).toBe(1);
  },
);

test("a webhook that refuses is asked ever more rarely, at last every five minutes", verifies("O10"), async () => {
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => warning.mockRestore());
  const stage = openStage();
  const times: number[] = [];
  const hook = await openHook(() => {
    times.push(stage.clock.now());
    return 503;
  });
  const tutti = await stage.open([paying], { telemetry: { alerts: { url: hook.url, rules: { inDoubt: {} } } } });
  await (await tutti.start(paying, {}, { id: "p" })).settled();
  while (times.length < 8) await stage.clock.advance(1_000);
  await tutti.close();
  const pauses = times.slice(1).map((at, index) => Math.round((at - (times[index] ?? 0)) / 1_000));
  // Time goes on a little while a request is under way.
  expect(pauses.map((seconds, index) => seconds >= Math.min(300, 15 * 2 ** index))).not.toContain(false);
  expect(pauses.at(-1)).toBeLessThan(400);
});

test("a webhook that never answers holds up neither runs nor the end of the engine", verifies("O10"), async () => {
  const stage = openStage();
  const { promise: isPosted, resolve: onPost } = Promise.withResolvers<void>();
  const hook = await openHook(() => {
    onPost();
    return undefined;
  });
  const quick = plainFlow("quick", (run) => run.step("work", () => 7));
  const alerts = { url: hook.url, rules: { inDoubt: {} } };
  const tutti = await stage.open([paying, quick], { telemetry: { alerts } });
  await (await tutti.start(paying, {}, { id: "p" })).settled();
  await passTimeUntil(stage, isPosted);
  for (let run = 0; run < 20; run++) expect(await tutti.run(quick, {})).toBe(7);
  await tutti.close();
  expect(hook.posted).toHaveLength(1);
});

test("what is over and comes back is told again, under another id", verifies("O10"), async () => {
  const stage = openStage();
  const hook = await openHook(() => 200);
  const alerts = { url: hook.url, rules: { stuckRun: { afterMs: 60_000 } } };
  const gates = [makeGate(), makeGate()];
  const hanging = plainFlow("hanging", async (run) => {
    for (const gate of gates) await run.step("hang", () => gate.opened, { timeoutMs: 10_000_000 });
  });
  const tutti = await stage.open([hanging], { telemetry: { alerts } });
  await tutti.start(hanging, {}, { id: "slow" });
  for (const [time, gate] of gates.entries()) {
    while (hook.posted.length < 2 * time + 1) await stage.clock.advance(1_000);
    for (let look = 0; look < 5; look++) await stage.clock.advance(15_000);
    gate.open();
    while (hook.posted.length < 2 * time + 2) await stage.clock.advance(1_000);
  }
  expect(hook.posted.map(({ type, subject }) => `${type} ${subject}`)).toEqual([
    "tutti.alert.fired stuck-run slow",
    "tutti.alert.resolved stuck-run slow",
    "tutti.alert.fired stuck-run slow",
    "tutti.alert.resolved stuck-run slow",
  ]);
  expect(new Set(hook.posted.map(({ id }) => id)).size).toBe(4);
  await tutti.close();
});
