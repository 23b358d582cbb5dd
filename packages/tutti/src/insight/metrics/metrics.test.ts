import fc from "fast-check";
import { expect, test } from "vitest";

import { anything, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { playTracedRuns } from "../../../../../test/otlp/traced-runs.ts";
import { openStand } from "../../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { TuttiError } from "../../base/errors.ts";
import { openMemoryLedger } from "../../ledger/memory/memory-ledger.ts";
import { tool } from "../../tools/tool.ts";
import { keepPosition } from "../otlp/position.ts";
import { Durations, labelValuesMax, Numbers } from "./families.ts";
import { openMetrics, type Metrics } from "./metrics.ts";

/** Every sample of the text by its name with labels, as a reader of the format sees it. */
function parse(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# HELP ") || line.startsWith("# TYPE ")) continue;
    const match = /^(?<series>[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (?<value>\S+)$/u.exec(line);
    const { series = "", value = "" } = match?.groups ?? {};
    if (match === null || samples.has(series)) throw new Error(`no sample, or one that was there: ${line}`);
    samples.set(series, Number(value));
  }
  return samples;
}

test(
  "runs, steps, calls, tokens and cost are those of the ledger, by flow, tenant, agent, tool and model",
  verifies("O9", "O10", "M4"),
  async () => {
    const { ledger, tutti } = await playTracedRuns();
    const metrics = openMetrics(tutti);
    const samples = parse(await metrics.read());
    const expected = {
      'tutti_runs_ended_total{flow="reporting",tenant="acme",outcome="done"}': 2,
      'tutti_runs_ended_total{flow="failing",tenant="",outcome="failed"}': 1,
      'tutti_run_tokens_total{flow="reporting",tenant="acme",direction="in"}': 27,
      'tutti_model_calls_total{model="script-1",outcome="done"}': 2,
      'tutti_model_calls_total{model="script-1",outcome="failed"}': 1,
      'tutti_model_tokens_total{model="script-1",direction="in"}': 27,
      'tutti_model_tokens_total{model="script-1",direction="out"}': 13,
      'tutti_agent_calls_total{agent="reporter",outcome="done"}': 1,
      'tutti_agent_tokens_total{agent="reporter",direction="in"}': 20,
      'tutti_tool_calls_total{tool="orchard.look-up",outcome="failed"}': 1,
      'tutti_tool_calls_total{tool="orchard.look-up",outcome="done"}': 1,
      'tutti_tool_calls_total{tool="orchard.publish",outcome="done"}': 2,
      'tutti_agent_duration_seconds_count{agent="reporter"}': 1,
      'tutti_agent_duration_seconds_bucket{agent="reporter",le="+Inf"}': 1,
      'tutti_agent_duration_seconds_bucket{agent="reporter",le="0.01"}': 0,
      'tutti_runs{state="running"}': 0,
      tutti_effects_in_doubt: 0,
      tutti_ledger_lsn: (await ledger.scan(0, 1_000)).length,
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, samples.get(name)]))).toEqual(expected);
    expect(samples.get('tutti_model_cost_usd_total{model="script-1"}')).toBeCloseTo(0.04, 10);
    // Two at once and one more count nothing twice.
    const again = await Promise.all([metrics.read(), metrics.read()]);
    expect(parse(again[1])).toEqual(samples);
    await tutti.close();
  },
);

test(
  "whenever it is read while the ledger grows, in the end everything was counted as by one who reads it at once",
  verifies("O10"),
  async () => {
    const { ledger, tutti, entries } = await playTracedRuns();
    const alone = { ...ledger, keep() {}, listKept: async () => [] };
    const slots = (): ReturnType<typeof tutti.slots> => tutti.slots();
    const whole = await openMetrics({ ledger: alone, slots }).read();
    const cuts = fc.uniqueArray(fc.integer({ min: 0, max: entries.length }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.infiniteStream(fc.boolean()), async (lengths, restarts) => {
        let length = 0;
        let kept = "";
        const growing = {
          ...ledger,
          scan: async (after: number, limit: number) =>
            (await ledger.scan(after, limit)).filter(({ lsn }) => lsn <= length),
          keep: (_: string, state: string) => void (kept = state),
          listKept: async () => (kept === "" ? [] : [{ name: "metrics", state: kept }]),
        };
        const open = (): Metrics => openMetrics({ ledger: growing, slots });
        let metrics = open();
        for (length of [...lengths.toSorted((left, right) => left - right), entries.length]) {
          if (restarts.next().value === true) metrics = open();
          await metrics.read();
        }
        expect(await metrics.read()).toBe(whole);
        const counted = await open().read();
        expect(counted).toBe(whole);
      }),
      { numRuns: 40 },
    );
    await tutti.close();
  },
);

test("what was kept spares the reading, unless it is damaged or of another ledger: then it is counted anew", async () => {
  const { ledger, tutti, entries } = await playTracedRuns();
  const scans: number[] = [];
  let kept = "";
  const watched = {
    ...ledger,
    scan: (after: number, limit: number) => {
      scans.push(after);
      return ledger.scan(after, limit);
    },
    keep: (_: string, state: string) => void (kept = state),
    listKept: async () => [{ name: "metrics", state: kept }],
  };
  const readAnew = async (): Promise<string> => {
    scans.length = 0;
    return openMetrics({ ledger: watched }).read();
  };
  const whole = await readAnew();
  expect(scans).toContain(0);
  const right = kept;
  expect(await readAnew()).toBe(whole);
  expect(scans).toEqual([entries.length - 1, entries.length]);
  for (const wrong of [
    "",
    "{",
    "[]",
    right.replace(/"hash":"[^"]+"/u, '"hash":"00"'),
    right.replace(/"version":\d+/u, '"version":0'),
  ]) {
    kept = wrong;
    expect(await readAnew()).toBe(whole);
    expect(scans).toContain(0);
  }
  await tutti.close();
});

test("while a long ledger is read, others have their turn", async () => {
  const { ledger, tutti, entries } = await playTracedRuns();
  const long = { ...ledger, scan: async (after: number) => (after < 20 ? entries.slice(after, after + 1) : []) };
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await openMetrics({ ledger: long }).read();
  isOver = true;
  expect(turns).toBeGreaterThan(10);
  await tutti.close();
});

test(
  "what stands, waits, is in doubt, is left alone, is spent and lags can be seen",
  verifies("O10", "O9"),
  async () => {
    const stage = openStage();
    const pay = tool({
      name: "bank.pay",
      does: "Pays.",
      input: anything,
      output: anything,
      effect: "once",
      run: () => {
        throw new TuttiError("TOOL_INTERRUPTED", "nobody knows");
      },
    });
    const ask = tool({
      name: "map.ask",
      does: "Asks.",
      input: anything,
      output: anything,
      effect: "read",
      retry: { attemptsMax: 1 },
      run: () => {
        throw new TuttiError("TOOL_UNAVAILABLE", "no");
      },
    });
    const paying = plainFlow("paying", (run) => run.call(pay, {}));
    const waiting = plainFlow("waiting", (run) => run.wait("go"));
    const asking = plainFlow("asking", async (run) => {
      for (let at = 0; at < 2; at++) await run.call(ask, { at }).catch(() => undefined);
    });
    const tutti = await stage.open([paying, waiting, asking], {
      limits: { "tool/map.ask": { breaker: { failures: 2 }, concurrentMax: 3 } },
      budgets: { "flow/asking": { calls: 4 } },
      evictAfterMs: 0,
    });
    await (await tutti.start(paying, {})).settled();
    await (await tutti.start(waiting, {})).settled();
    await tutti.run(asking, {});
    await stage.clock.advance(1_000);
    keepPosition(stage.ledger, "http://receiver", 2);
    await stage.ledger.flush();
    const samples = parse(await openMetrics(tutti, { clock: stage.clock }).read());
    expect(samples.get("tutti_effects_in_doubt")).toBe(1);
    expect(samples.get('tutti_runs{state="in-doubt"}')).toBe(1);
    expect(samples.get('tutti_runs{state="waiting"}')).toBe(1);
    expect(samples.get('tutti_breaker_open{limit="tool/map.ask"}')).toBe(1);
    expect(samples.get('tutti_limit_slots{limit="tool/map.ask",of="calls"}')).toBe(3);
    expect(samples.get('tutti_budget_used_ratio{account="flow/asking",unit="calls"}')).toBe(0.5);
    expect(samples.get('tutti_export_lag_entries{target="http://receiver"}')).toBe(stage.entries.length - 2);
    await tutti.close();
  },
);

test("labels are bounded, and any value of one can be read back", () => {
  const many = new Numbers("counter", "many_total", "Many.");
  for (let at = 0; at < labelValuesMax + 50; at++) many.add({ flow: `f${at}` }, 1);
  const samples = parse(many.toText());
  expect(samples.size).toBe(labelValuesMax + 1);
  expect(samples.get('many_total{flow="other"}')).toBe(50);
  const crossed = new Numbers("counter", "crossed_total", "Crossed.");
  for (let at = 0; at < 3_000; at++) crossed.add({ flow: `f${at % 100}`, tenant: `t${Math.floor(at / 100)}` }, 1);
  const kept = parse(crossed.toText());
  expect(kept.size).toBe(2_001);
  expect([...kept.values()].reduce((sum, value) => sum + value, 0)).toBe(3_000);
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "ß", " ", "}", "{", "\\", '"', "\n") }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (flow, seconds) => {
        const durations = new Durations("took_seconds", "Took.");
        durations.add({ flow }, seconds);
        const [series = "", sum] =
          [...parse(durations.toText())].find(([name]) => name.startsWith("took_seconds_sum")) ?? [];
        const quoted = series.slice('took_seconds_sum{flow="'.length, -'"}'.length);
        expect(quoted.replaceAll(/\\(["\\n])/gu, (_, sign: string) => (sign === "n" ? "\n" : sign))).toBe(flow);
        expect(sum).toBe(seconds);
      },
    ),
    { numRuns: 50 },
  );
});

test("a ledger alone is enough, and an empty one has nothing but zeros", async () => {
  const ledger = openMemoryLedger({ clock: openStage().clock });
  const samples = parse(await openMetrics({ ledger }).read());
  expect([...samples.values()].every((value) => value === 0)).toBe(true);
  await ledger.close();
});

test("Prometheus reads them from the server with a token, and nobody else does", verifies("O10"), async () => {
  const stand = await openStand();
  expect((await stand.ask("metrics", {})).status).toBe(401);
  const answer = await stand.ask("metrics", { token: stand.token("viewer") });
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(parse(answer.text).has("tutti_ledger_lsn")).toBe(true);
});
