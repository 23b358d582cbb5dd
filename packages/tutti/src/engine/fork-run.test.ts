import { expect, test } from "vitest";

import {
  anything,
  bodiesOf,
  errorOf,
  linesOf,
  makeLedgerFile,
  openStage,
  plainFlow,
} from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { Agent, Flow } from "../contracts/run.ts";
import { flow } from "../flow/flow.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { tool } from "../tools/tool.ts";
import { openTutti } from "./open-tutti.ts";
import type { RunHandle } from "./tutti.ts";

const step = toStepKey;

interface Trip {
  readonly stage: ReturnType<typeof openStage>;
  readonly office: ReturnType<typeof openPostOffice>;
  /** Which steps were executed, by all runs. */
  readonly executed: string[];
  readonly flow: Flow;
}

/** Chooses a town, looks up its weather with a tool, mails somebody, and writes it up. */
function plan(): Trip {
  const stage = openStage();
  const office = openPostOffice();
  const executed: string[] = [];
  const mail = toMailTool(office);
  const weather = tool({
    name: "weather",
    does: "Looks the weather up.",
    input: anything,
    output: anything,
    effect: "read",
    run: (input) => {
      executed.push("weather");
      return `sun in ${String(input)}`;
    },
  });
  const trip = flow({
    name: "trip",
    input: anything,
    output: anything,
    async run(run, start) {
      const town = await run.step("town", () => {
        executed.push("town");
        return `${String(start)}-town`;
      });
      const report = await run.call(weather, town);
      const { receipt } = await run.call(mail, { to: "anna" });
      return run.step("write", () => {
        executed.push("write");
        return `${town}, ${String(report)}, ${receipt}`;
      });
    },
  });
  return { stage, office, executed, flow: trip };
}

const original = "A-town, sun in A-town, receipt of anna";

async function depart(trip: Trip): Promise<RunHandle> {
  const tutti = await trip.stage.open([trip.flow]);
  const run = await tutti.start(trip.flow, "A", { id: "r" });
  expect(await run.result()).toBe(original);
  expect(trip.executed.splice(0)).toEqual(["town", "weather", "write"]);
  return run;
}

test(
  "a fork at a step does that step and what follows anew, and reuses what lies before",
  verifies("D12"),
  async () => {
    const trip = plan();
    const run = await depart(trip);
    const fork = await run.fork(step("/write"));
    expect(await fork.result()).toBe(original);
    expect(trip.executed).toEqual(["write"]);
    expect(trip.office.sent).toEqual(["anna"]);
  },
);

test("a fork with an edited output goes on from that output, without doing the step", verifies("D12"), async () => {
  const trip = plan();
  const run = await depart(trip);
  const fork = await run.fork(step("/town"), { output: "B-town" });
  expect(await fork.result()).toBe("B-town, sun in B-town, receipt of anna");
  expect(trip.executed).toEqual(["weather", "write"]);
  expect(trip.office.sent).toEqual(["anna"]);
});

test("a fork with an edited output of a tool that reads goes on from that", verifies("D12"), async () => {
  const trip = plan();
  const run = await depart(trip);
  const fork = await run.fork(step("/weather"), { output: "rain" });
  expect(await fork.result()).toBe("A-town, rain, receipt of anna");
  expect(trip.executed).toEqual(["write"]);
});

test("a fork with an edited input calls the tool with that input", verifies("D12"), async () => {
  const trip = plan();
  const run = await depart(trip);
  const fork = await run.fork(step("/weather"), { input: "C-town" });
  expect(await fork.result()).toBe("A-town, sun in C-town, receipt of anna");
  expect(trip.executed).toEqual(["weather", "write"]);
});

test(
  "a fork at an effect with an edited output sees that output; the effect is not repeated",
  verifies("D12"),
  async () => {
    const trip = plan();
    const run = await depart(trip);
    const fork = await run.fork(step("/mail.send"), { output: { receipt: "another receipt" } });
    expect(await fork.result()).toBe("A-town, sun in A-town, another receipt");
    expect(trip.executed).toEqual(["write"]);
    expect(trip.office.sent).toEqual(["anna"]);
  },
);

test(
  "a fork before an effect shares the effect that was done, and the ledger says whose it was",
  verifies("D4", "D12"),
  async () => {
    const trip = plan();
    const run = await depart(trip);
    const fork = await run.fork(step("/mail.send"));
    expect(await fork.result()).toBe(original);
    expect(trip.office.sent).toEqual(["anna"]);
    expect(bodiesOf(await fork.entries(), "effect-shared")).toMatchObject([{ from: { run: "r", step: "/mail.send" } }]);
  },
);

test.for(["run", "step"] as const)(
  "an effect that counts for one %s is shared with a fork, too, and not repeated",
  verifies("D4", "D12"),
  async (scope) => {
    const stage = openStage();
    const office = openPostOffice();
    const mail = toMailTool(office, { scope });
    const mails = plainFlow("mails", async (run) => {
      await run.step("before", () => 1);
      return run.call(mail, { to: "anna" });
    });
    const tutti = await stage.open([mails]);
    const run = await tutti.start(mails, null, { id: "r" });
    await run.result();
    const fork = await run.fork(step("/before"));
    expect(await fork.result()).toEqual({ receipt: "receipt of anna" });
    const second = await fork.fork(step("/before"));
    expect(await second.result()).toEqual({ receipt: "receipt of anna" });
    expect(office.sent).toEqual(["anna"]);
  },
);

test("a fork at the beginning runs everything with another input", verifies("D12"), async () => {
  const trip = plan();
  const run = await depart(trip);
  const fork = await run.fork(step(""), { input: "D" });
  expect(await fork.result()).toBe("D-town, sun in D-town, receipt of anna");
  expect(trip.executed).toEqual(["town", "weather", "write"]);
  expect(trip.office.sent).toEqual(["anna"]);
});

test(
  "the original is untouched by its forks, and each fork says where it comes from",
  verifies("D12", "O1"),
  async () => {
    const trip = plan();
    const run = await depart(trip);
    const before = await run.entries();
    const fork = await run.fork(step("/town"), { output: "B-town" });
    await fork.result();
    const again = await fork.fork(step("/weather"), { output: "fog" });
    expect(await again.result()).toBe("B-town, fog, receipt of anna");
    expect(await run.entries()).toEqual(before);
    expect(await run.result()).toBe(original);
    expect(bodiesOf(await fork.entries(), "run-started")).toMatchObject([
      { input: "A", forkedFrom: { run: "r", step: "/town", seq: 2, lineage: "r" } },
    ]);
    expect(bodiesOf(await again.entries(), "run-started")).toMatchObject([
      { forkedFrom: { run: fork.id, step: "/weather", lineage: "r" } },
    ]);
    expect(bodiesOf(await fork.entries(), "step-done")[0]).toEqual({ out: "B-town", edited: true });
  },
);

test("a fork of a fork keeps the earlier edit of an input", verifies("D12"), async () => {
  const trip = plan();
  const run = await depart(trip);
  const fork = await run.fork(step("/weather"), { input: "C-town" });
  await fork.result();
  const again = await fork.fork(step("/write"));
  expect(await again.result()).toBe("A-town, sun in C-town, receipt of anna");
});

test(
  "a step that is not there can't be forked at, and the hint names those that are",
  verifies("D12", "K4"),
  async () => {
    const trip = plan();
    const run = await depart(trip);
    const error = await errorOf(run.fork(step("/nowhere")));
    expect(error).toMatchObject({ code: "USAGE", hint: "Its steps: /town, /weather, /mail.send, /write" });
    expect(trip.stage.entries.filter((entry) => entry.kind === "run-started")).toHaveLength(1);
  },
);

test("an edited output that can't be stored is refused", verifies("D12", "K4"), async () => {
  const trip = plan();
  const run = await depart(trip);
  const error = await errorOf(run.fork(step("/town"), { output: () => 1 }));
  expect(error.code).toBe("VALUE_NOT_STORABLE");
});

test("a run that waits, is paused or has failed can be forked where it went wrong", verifies("D12"), async () => {
  const stage = openStage();
  let executed = 0;
  const fragile = plainFlow("fragile", async (run) => {
    const answer = await run.step("answer", () => ++executed);
    if (answer === 1) throw new Error("one is not an answer");
    return [answer, await run.wait("go")];
  });
  const tutti = await stage.open([fragile]);
  const run = await tutti.start(fragile, null);
  expect((await run.settled()).kind).toBe("failed");
  const fork = await run.fork(step("/answer"), { output: 42 });
  expect((await fork.settled()).kind).toBe("waiting");
  await fork.pause();
  const third = await fork.fork(step("/answer"), { output: 43 });
  await third.signal("go", "third");
  expect(await third.result()).toEqual([43, "third"]);
  await fork.resume();
  await fork.signal("go", "second");
  expect(await fork.result()).toEqual([42, "second"]);
  expect(executed).toBe(1);
});

function team(executed: string[]): { readonly teamFlow: Flow; readonly child: Flow } {
  const agent: Agent = {
    kind: "agent",
    name: "thinker",
    version: "1",
    does: "Thinks.",
    input: anything,
    output: anything,
    tools: [],
    act: async (run) => ({
      output: [
        await run.step("turn", () => executed.push("turn 1")),
        await run.step("turn", () => executed.push("turn 2")),
      ],
    }),
  };
  const child = plainFlow("child", (run) =>
    run.step("inner", () => executed.push("child")).then(() => "from the child"),
  );
  const teamFlow = plainFlow("team", async (run) => [
    await run.call(agent, null),
    await run.call(child, null),
    await run.step("last", () => executed.push("last")).then(() => "end"),
  ]);
  return { teamFlow, child };
}

test.for([
  {
    at: "/thinker",
    edit: { output: "thought" },
    again: ["child", "last"],
    output: ["thought", "from the child", "end"],
  },
  { at: "/child", edit: { output: "said" }, again: ["last"], output: [[1, 2], "said", "end"] },
  { at: "/thinker/turn#2", edit: { output: 9 }, again: ["child", "last"], output: [[1, 9], "from the child", "end"] },
])(
  "an agent, a child or a turn inside an agent can be edited: $at",
  verifies("D12"),
  async ({ at, edit, again, output }) => {
    const stage = openStage();
    const executed: string[] = [];
    const { teamFlow, child } = team(executed);
    const tutti = await stage.open([teamFlow, child]);
    const run = await tutti.start(teamFlow, null, { id: "r" });
    await run.result();
    executed.splice(0);
    const fork = await run.fork(step(at), edit);
    expect(await fork.result()).toEqual(output);
    expect(executed).toEqual(again);
  },
);

test(
  "a fork survives a reopening, with a large edited output and a large past",
  verifies("D1", "D12", "D14"),
  async () => {
    const ledger = await makeLedgerFile();
    const clock = openManualClock();
    const large = "x".repeat(100_000);
    let executed = 0;
    const waiting = plainFlow("waiting", async (run) => {
      const first = await run.step("first", () => {
        executed++;
        return large;
      });
      const second = await run.step("second", () => {
        executed++;
        return "small";
      });
      return [first.length, second.length, await run.wait("go")];
    });
    const opened = await openTutti({ flows: [waiting], ledger, clock });
    const run = await opened.start(waiting, null, { id: "r" });
    await run.settled();
    const { id } = await run.fork(step("/second"), { output: large });
    await (await opened.open(id)).settled();
    await opened.close();
    const next = await openTutti({ flows: [waiting], ledger, clock });
    const fork = await next.open(id);
    await fork.signal("go", 1);
    expect(await fork.result()).toEqual([100_000, 100_000, 1]);
    expect(executed).toBe(2);
    for (const entry of await fork.entries()) expect(entry.body.length).toBeLessThan(32 * 1024);
    expect(linesOf(await fork.entries())).toContain("step-done /second");
    await next.close();
  },
);
