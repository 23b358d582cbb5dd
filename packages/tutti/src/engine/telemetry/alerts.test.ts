import { afterEach, expect, test, vi } from "vitest";

import { anything, errorOf, openStage, plainFlow, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { passTimeUntil } from "../../../../../test/otlp/pass-time.ts";
import { paying } from "../../../../../test/otlp/paying-flow.ts";
import { openReceiver } from "../../../../../test/otlp/receiver.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { TuttiError } from "../../base/errors.ts";
import type { Flow } from "../../contracts/run.ts";
import { topic } from "../../flow/topic.ts";
import { openWebhooks, type Webhooks } from "../../protocols/webhooks/open-webhooks.ts";
import { tool } from "../../tools/tool.ts";
import type { Tutti, TuttiOptions } from "../tutti.ts";
import type { AlertOptions, AlertRules } from "./alert-options.ts";

const key = "tulip-garden";
const fired = topic({ name: "fired", payload: anything });
const resolved = topic({ name: "resolved", payload: anything });

/** The receiver of webhooks that Tutti itself has: it takes only what is signed, and knows what comes twice. */
interface Desk {
  readonly url: string;
  /** `fired stuckRun: …`, each id once, in the order of arrival. */
  readonly told: readonly string[];
  readonly posts: () => number;
  has(count: number): Promise<void>;
}

const open: Webhooks[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((webhooks) => webhooks.close()));
});

async function openDesk(): Promise<Desk> {
  const told: string[] = [];
  const ids = new Set<string>();
  let posts = 0;
  const waiting = new Set<() => void>();
  const webhooks = await openWebhooks(
    {
      async publish(to, payload, { id }) {
        posts += 1;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what has another form is seen by the test
        const { rule, about } = payload as { readonly rule: string; readonly about: string };
        const isNew = !ids.has(id);
        ids.add(id);
        if (isNew) told.push(`${to.name} ${rule}: ${about}`);
        for (const look of waiting) look();
        return { kind: isNew ? "published" : "repeated", position: posts, id };
      },
    },
    { topics: { "tutti.alert.fired": fired, "tutti.alert.resolved": resolved }, signature: { key } },
  );
  open.push(webhooks);
  return {
    url: webhooks.url,
    told,
    posts: () => posts,
    has: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (told.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

interface Watched {
  readonly stage: Stage;
  readonly desk: Desk;
  readonly rules: AlertRules;
}

function watch(
  { stage, desk, rules }: Watched,
  flows: readonly Flow[],
  more: Partial<TuttiOptions> = {},
): Promise<Tutti> {
  return stage.open(flows, { ...more, telemetry: { alerts: { rules, url: desk.url, key } } });
}

test("a run that is stuck is told once, and once that it goes on", verifies("O10"), async () => {
  const watched = { stage: openStage(), desk: await openDesk(), rules: { stuckRun: { afterMs: 60_000 } } };
  const { stage, desk } = watched;
  const { promise: free, resolve: go } = Promise.withResolvers<void>();
  const hanging = plainFlow("hanging", (run) => run.step("hang", () => free, { timeoutMs: 10_000_000 }));
  const tutti = await watch(watched, [hanging]);
  const run = await tutti.start(hanging, {}, { id: "slow" });
  await passTimeUntil(stage, desk.has(1));
  expect(stage.clock.now() - 1_700_000_000_000).toBeGreaterThanOrEqual(60_000);
  await stage.clock.advance(120_000);
  go();
  await run.result();
  await passTimeUntil(stage, desk.has(2));
  expect(desk.told).toEqual([
    "fired stuckRun: run slow of hanging is at work and has written nothing for long",
    "resolved stuckRun: run slow of hanging is at work and has written nothing for long",
  ]);
  await tutti.close();
});

test(
  "a run that is due and that nobody takes up is told, and one that only waits is not",
  verifies("O10", "D9"),
  async () => {
    const watched = { stage: openStage(), desk: await openDesk(), rules: { stuckRun: { afterMs: 60_000 } } };
    const { stage, desk } = watched;
    const sleeping = plainFlow("sleeping", (run) => run.sleep(30_000));
    const waiting = plainFlow("waiting", (run) => run.wait("go"));
    const first = await stage.open([sleeping, waiting], { evictAfterMs: 0 });
    await (await first.start(waiting, {}, { id: "waits" })).settled();
    await (await first.start(sleeping, {}, { id: "sleeps" })).settled();
    await stage.clock.advance(1_000);
    await first.close();
    const second = await watch(watched, [sleeping, waiting], { recover: false });
    await passTimeUntil(stage, desk.has(1));
    expect(desk.told).toEqual(["fired stuckRun: run sleeps of sleeping is due and does not go on"]);
    expect(stage.clock.now() - 1_700_000_000_000).toBeGreaterThanOrEqual(90_000);
    await second.close();
  },
);

test("what happened before alerts were declared wakes nobody", verifies("O10"), async () => {
  const stage = openStage();
  const desk = await openDesk();
  const failing = plainFlow("failing", () => Promise.reject(new TuttiError("TOOL_FAILED", "no paper")));
  const first = await stage.open([failing]);
  for (let at = 0; at < 5; at++) await first.run(failing, {}).catch(() => undefined);
  await first.close();
  const second = await watch({ stage, desk, rules: { failureRate: { runsMin: 2 } } }, [failing]);
  await stage.clock.advance(60_000);
  await second.run(failing, {}, { id: "one" }).catch(() => undefined);
  await stage.clock.advance(60_000);
  expect(desk.posts()).toBe(0);
  await second.run(failing, {}, { id: "two" }).catch(() => undefined);
  await passTimeUntil(stage, desk.has(1));
  await second.close();
});

test("an effect in doubt is told once, across restarts, until a person settles it", verifies("O10", "D3"), async () => {
  const watched = { stage: openStage(), desk: await openDesk(), rules: { inDoubt: {} } };
  const { stage, desk } = watched;
  const first = await watch(watched, [paying]);
  await (await first.start(paying, {}, { id: "p" })).settled();
  await passTimeUntil(stage, desk.has(1));
  await first.close();
  const second = await watch(watched, [paying]);
  await stage.clock.advance(60_000);
  const [effect] = await second.inDoubt();
  if (effect === undefined) throw new Error("nothing is in doubt");
  await second.settle(effect.key, { kind: "done", output: {}, by: "anna" });
  await passTimeUntil(stage, desk.has(2));
  expect(desk.told.map((line) => line.replace(/\(.*\)/u, "(…)"))).toEqual([
    "fired inDoubt: nobody knows whether bank.pay happened in run p (…)",
    "resolved inDoubt: nobody knows whether bank.pay happened in run p (…)",
  ]);
  await second.close();
});

test(
  "a budget at its threshold, a breaker that opens and runs that fail are told, each once",
  verifies("O10"),
  async () => {
    const watched = {
      stage: openStage(),
      desk: await openDesk(),
      rules: { budget: {}, breakerOpen: {}, failureRate: { runsMin: 4, windowMs: 600_000 } },
    };
    const { stage, desk } = watched;
    let isDown = true;
    const ask = tool({
      name: "map.ask",
      does: "Asks.",
      input: anything,
      output: anything,
      effect: "read",
      retry: { attemptsMax: 1 },
      run: () => {
        if (isDown) throw new TuttiError("TOOL_UNAVAILABLE", "no");
        return {};
      },
    });
    const asking = plainFlow("asking", (run) => run.call(ask, {}));
    const tutti = await watch(watched, [asking], {
      limits: { "tool/map.ask": { breaker: { failures: 4, openMs: 1_000 } } },
      budgets: { "flow/asking": { calls: 5 } },
    });
    for (let at = 0; at < 4; at++) await tutti.run(asking, {}).catch(() => undefined);
    await passTimeUntil(stage, desk.has(3));
    expect(desk.told.toSorted()).toEqual([
      "fired breakerOpen: tool/map.ask failed too often and is left alone",
      "fired budget: flow/asking has spent or reserved 80 % or more of its calls",
      "fired failureRate: 50 % or more of the runs of asking fail",
    ]);
    isDown = false;
    await stage.clock.advance(60_000);
    await tutti.run(asking, {});
    await passTimeUntil(stage, desk.has(5)); // the window has to pass
    expect(desk.told.slice(3).toSorted()).toEqual([
      "resolved breakerOpen: tool/map.ask failed too often and is left alone",
      "resolved failureRate: 50 % or more of the runs of asking fail",
    ]);
    await tutti.close();
  },
);

test(
  "an approval past its deadline is told, although the engine has decided what follows",
  verifies("O10", "G7"),
  async () => {
    const watched = { stage: openStage(), desk: await openDesk(), rules: { approvalOverdue: {} } };
    const { stage, desk } = watched;
    const asking = plainFlow("asking", (run) => run.approve("print it?", { deadlineMs: 60_000 }));
    const tutti = await watch(watched, [asking]);
    await (await tutti.start(asking, {}, { id: "ask" })).settled();
    await passTimeUntil(stage, desk.has(2));
    expect(desk.told).toEqual([
      "fired approvalOverdue: nobody decided in time on an approval of run ask",
      "resolved approvalOverdue: nobody decided in time on an approval of run ask",
    ]);
    await tutti.close();
  },
);

test("what the receiver does not take is sent again, signed, and in its order", verifies("O10"), async () => {
  const stage = openStage();
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const refused = await openReceiver({ refuse: () => ({ status: 503 }) });
  const parking = plainFlow("parking", async (run) => {
    await run.step("first", () => 1);
    await new Promise((resolve) => setImmediate(resolve));
    await run.step("second", () => 2);
  });
  const rules = { stuckRun: { afterMs: 1 } };
  const alerts = { rules, url: `${refused.url}/`, key };
  const first = await stage.open([parking], { telemetry: { alerts } });
  await (await first.start(parking, {}, { id: "parked" })).settled();
  while (refused.requests.length < 3) await stage.clock.advance(5_000);
  expect(refused.requests[0]?.headers["x-signature-256"]).toMatch(/^sha256=[0-9a-f]{64}$/u);
  expect(JSON.stringify(warning.mock.calls)).toContain("alerts are late");
  await first.close();
  await refused.close();
  const desk = await openDesk();
  const second = await watch({ stage, desk, rules }, [parking]);
  await passTimeUntil(stage, desk.has(1));
  expect(desk.told).toEqual(["fired stuckRun: run parked of parking is parked"]);
  warning.mockRestore();
  await second.close();
});

test("rules, thresholds and addresses that can't be are refused before anything is opened", async () => {
  const url = "http://127.0.0.1:9/";
  for (const alerts of [
    { url: "nowhere", rules: {} },
    { url, rules: {}, key: "" },
    { url, rules: { tooHot: {} } },
    { url, rules: { budget: { ratio: 2 } } },
    { url, rules: { stuckRun: { afterMs: -1 } } },
    { url, rules: { inDoubt: { afterMinutes: 1 } } },
  ]) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a caller without types could write
    const telemetry = { alerts: alerts as object as AlertOptions };
    expect(await errorOf(openStage().open([], { telemetry }))).toMatchObject({ code: "DEFINITION_INVALID" });
  }
});
