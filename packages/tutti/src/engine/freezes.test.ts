import { afterEach, expect, test } from "vitest";
import { z } from "zod";

import {
  anything,
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
  type Gate,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { FreezeTarget } from "../contracts/freeze.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";
import { openTutti } from "./open-tutti.ts";
import type { Tutti } from "./tutti.ts";

let opened: Tutti[] = [];
afterEach(async () => {
  await Promise.all(opened.map((tutti) => tutti.close()));
  opened = [];
  sent.length = 0;
});

const ada = { by: "Ada", reason: "wrong prices" };
const sent: string[] = [];
let gate: Gate | undefined;
const send = tool({
  name: "send",
  does: "Sends a letter.",
  input: z.object({ text: z.string() }),
  output: z.object({}),
  effect: "once",
  async run({ text }) {
    sent.push(text);
    await gate?.opened;
    return {};
  },
});
const writer = agent({
  name: "writer",
  does: "Writes.",
  model: "fast",
  tools: [send],
  input: anything,
  output: z.object({ text: z.string() }),
  instructions: "",
});
const letters = plainFlow("letters", async (run) => {
  await run.call(send, { text: "one" });
  await run.call(send, { text: "two" });
});
const writes = plainFlow("writes", (run) => run.call(writer, {}));
const parent = plainFlow("parent", (run) => run.call(letters, null));
const flows = [letters, writes, parent];
const model = () =>
  scriptedModel((_, index) =>
    index % 2 === 0
      ? { toolCalls: [{ id: "a", tool: "send", input: { text: "by the agent" } }] }
      : { answer: { text: "done" } },
  );

async function open(stage = openStage()): Promise<Tutti> {
  const tutti = await stage.open(flows, { models: { fast: model() }, stallMs: 1e9 });
  opened.push(tutti);
  return tutti;
}

test(
  "after a freeze nothing is begun; what is going on is recorded, and it goes on by itself when it is lifted",
  verifies("G14"),
  async () => {
    const stage = openStage();
    const tutti = await open(stage);
    gate = makeGate();
    const handle = await tutti.start(letters, null, { id: "run" });
    await until(() => sent.length === 1);
    await tutti.freeze({ reach: "all" }, ada);
    expect(bodiesOf(stage.entries, "freeze-set")).toMatchObject([{ reach: "all", by: "Ada", reason: "wrong prices" }]);
    gate.open();
    gate = undefined;
    expect(await handle.settled()).toMatchObject({
      kind: "frozen",
      freeze: { target: { reach: "all" }, by: "Ada", reason: "wrong prices" },
    });
    expect(linesOf(stage.entries).filter((line) => line.startsWith("effect-"))).toEqual([
      "effect-intended /send",
      "effect-settled /send",
    ]);
    await tutti.unfreeze({ reach: "all" }, ada);
    await handle.result();
    expect(sent).toEqual(["one", "two"]);
  },
);

const targets: readonly { readonly target: FreezeTarget; readonly flow: number }[] = [
  { target: { reach: "run", name: "run" }, flow: 0 },
  { target: { reach: "flow", name: "letters" }, flow: 0 },
  { target: { reach: "tenant", name: "acme" }, flow: 0 },
  { target: { reach: "agent", name: "writer" }, flow: 1 },
  { target: { reach: "run", name: "run" }, flow: 2 },
  { target: { reach: "flow", name: "parent" }, flow: 2 },
  { target: { reach: "tenant", name: "acme" }, flow: 2 },
];

test.for(targets)(
  "a freeze of $target.reach $target.name reaches flow $flow, and nobody else; also in the next process",
  verifies("G14"),
  async ({ target, flow: index }) => {
    const stage = openStage();
    const first = await open(stage);
    await first.freeze(target, ada);
    const frozen = flows[index] ?? letters;
    await first.start(frozen, null, { id: "run", tenant: "acme" });
    await takeTurns(200);
    await first.close();
    const tutti = await open(stage);
    expect(tutti.freezes()).toMatchObject([{ target, by: "Ada", reason: "wrong prices" }]);
    const handle = await tutti.open("run");
    await stage.clock.advance(1_000);
    expect(sent).toEqual([]);
    const rests = index === 2 ? await tutti.open("run.letters") : handle;
    expect(await rests.state()).toMatchObject({ kind: "frozen", freeze: { target } });
    const other = target.reach === "flow" || index !== 1 ? writes : letters;
    await tutti.run(other, null, { id: "other", tenant: "else" });
    expect(sent.length).toBeGreaterThan(0);
    await tutti.unfreeze(target, ada);
    await handle.result();
    expect(bodiesOf(stage.entries, "freeze-lifted")).toHaveLength(1);
  },
);

test(
  "an effect that was written down and not yet sent when it was frozen is sent once, after it was lifted",
  verifies("G14"),
  async () => {
    const stage = openStage();
    const entries: LedgerEntry[] = [];
    let isFrozen: Promise<void> | undefined;
    const onEntry = (entry: LedgerEntry): void => {
      entries.push(entry);
      // Stored, and its driver does not know yet.
      if (entry.kind === "effect-intended") isFrozen ??= tutti.freeze({ reach: "all" }, ada);
    };
    const ledger = openMemoryLedger({ clock: stage.clock, onEntry });
    const options = { flows, ledger: { ...ledger, close: async () => {} }, clock: stage.clock };
    const tutti = await openTutti(options);
    const handle = await tutti.start(letters, null, { id: "run" });
    expect(await handle.settled()).toMatchObject({ kind: "frozen" });
    await isFrozen;
    expect(sent).toEqual([]);
    await tutti.close();
    const next = await openTutti(options);
    opened.push(next);
    await next.unfreeze({ reach: "all" }, ada);
    await (await next.open("run")).result();
    expect(sent).toEqual(["one", "two"]);
    expect(
      linesOf(entries)
        .filter((line) => line.startsWith("effect-"))
        .slice(0, 4),
    ).toEqual(["effect-intended /send", "effect-resolved /send", "effect-intended /send", "effect-settled /send"]);
  },
);

test(
  "a run that is frozen can be cancelled and stopped; nothing it was about to do is done",
  verifies("G14", "D11"),
  async () => {
    const tutti = await open();
    await tutti.freeze({ reach: "flow", name: "letters" }, ada);
    for (const [id, end] of [
      ["cancelled", (handle: Awaited<ReturnType<Tutti["open"]>>) => handle.cancel()],
      ["stopped", (handle: Awaited<ReturnType<Tutti["open"]>>) => handle.steer({ kind: "stop" }, ada)],
    ] as const) {
      const handle = await tutti.start(letters, null, { id });
      await handle.settled();
      await end(handle);
      expect(await handle.settled()).toMatchObject({ kind: "cancelled" });
    }
    expect(sent).toEqual([]);
  },
);

test(
  "a freeze is on disk when it is acknowledged, and what can't be frozen or lifted is refused",
  verifies("G14"),
  async () => {
    const ledger = await makeLedgerFile();
    const first = await openTutti({ flows, ledger, control: false });
    opened.push(first);
    expect((await errorOf(first.freeze({ reach: "run", name: " " }, ada))).code).toBe("INPUT_INVALID");
    expect((await errorOf(first.unfreeze({ reach: "all" }, ada))).code).toBe("INPUT_INVALID");
    await first.freeze({ reach: "agent", name: "writer" }, ada);
    await first.freeze({ reach: "all" }, { by: "Bob" });
    await first.unfreeze({ reach: "agent", name: "writer" }, ada);
    await first.close();
    const next = await openTutti({ flows, ledger, control: false });
    opened.push(next);
    expect(next.freezes()).toMatchObject([{ target: { reach: "all" }, by: "Bob", reason: undefined }]);
  },
);

test(
  "a run that is frozen and was let go from memory goes on by itself when it is lifted",
  verifies("G14"),
  async () => {
    const stage = openStage();
    const tutti = await open(stage);
    await tutti.freeze({ reach: "agent", name: "writer" }, ada);
    const handle = await tutti.start(writes, null, { id: "run" });
    await takeTurns(100);
    await stage.clock.advance(1_000);
    expect(await handle.state()).toMatchObject({ kind: "frozen", freeze: { target: { reach: "agent" } } });
    await stage.clock.advance(1_000);
    await tutti.unfreeze({ reach: "agent", name: "writer" }, ada);
    expect(await handle.result()).toEqual({ text: "done" });
  },
);
