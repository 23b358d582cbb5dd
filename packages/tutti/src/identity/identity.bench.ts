// What grants and capabilities cost, beside a durable step: node scripts/run.mjs packages/tutti/src/identity/identity.bench.ts
// The quickest of several rounds on a SQLite file; every round is a run of calls one after the other.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { z } from "zod";

import { openTutti } from "../engine/open-tutti.ts";
import { flow } from "../flow/flow.ts";
import { tool } from "../tools/tool.ts";
import { openCapabilityUses } from "./capability-uses.ts";
import { verifyCapability } from "./verify-capability.ts";

const rounds = 7;
const callsPerRound = 300;
const folder = mkdtempSync(join(tmpdir(), "tutti-identity-bench-"));

const tokens: string[] = [];
const toTool = (name: string, isSigned: boolean) =>
  tool({
    name,
    does: "Does nothing.",
    input: z.int(),
    output: z.int(),
    effect: "once",
    scope: "step",
    async run(input, host) {
      if (isSigned) tokens.push(await host.capability());
      return input;
    },
  });
const plain = toTool("plain", false);
const signed = toTool("signed", true);
const toFlow = (name: string, called: typeof plain) =>
  flow({
    name,
    input: z.null(),
    output: z.null(),
    async run(run) {
      for (let call = 0; call < callsPerRound; call++) await run.call(called, call);
      return null;
    },
  });
const steps = flow({
  name: "steps",
  input: z.null(),
  output: z.null(),
  async run(run) {
    for (let call = 0; call < callsPerRound; call++) await run.step("step", () => call);
    return null;
  },
});
const bare = toFlow("bare", plain);
const granted = toFlow("granted", plain);
const shown = toFlow("shown", signed);

try {
  for (const durability of ["power", "process"] as const) {
    await using tutti = await open(durability);
    const stepUs = await quickest(() => tutti.run(steps, null));
    const bareUs = await quickest(() => tutti.run(bare, null));
    const grantedUs = await quickest(() => tutti.run(granted, null));
    const shownUs = await quickest(() => tutti.run(shown, null));
    const keys = await tutti.identity.keys();
    const fresh = tokens.splice(0).slice(-callsPerRound);
    const verifyUs = await quickest(async () => {
      const uses = openCapabilityUses();
      for (const [input, token] of fresh.entries())
        await verifyCapability(token, { audience: "signed", input, keys, uses });
    });
    const say = (what: string, us: number): void =>
      void process.stdout.write(
        `${durability}: ${what} ${(us / stepUs).toFixed(2)} of a durable step (${us.toFixed(0)} µs)\n`,
      );
    say("a step is", stepUs);
    say("a call of a tool with an effect is", bareUs);
    say("the same under a grant is", grantedUs);
    say("the same with a capability is", shownUs);
    say("verifying a capability is", verifyUs);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function open(durability: "power" | "process") {
  const tutti = await openTutti({
    flows: [steps, bare, granted, shown],
    ledger: join(folder, `${durability}.db`),
    durability,
    control: false,
    grants: { "flow/granted": { tools: { plain: {} }, autonomyMax: 3, lifetimeMs: 3_600_000 } },
  });
  return { ...tutti, [Symbol.asyncDispose]: () => tutti.close() };
}

async function quickest(round: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let at = 0; at < rounds; at++) {
    const startedAt = performance.now();
    await round();
    best = Math.min(best, performance.now() - startedAt);
  }
  return (best * 1_000) / callsPerRound;
}
