import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { afterEach, describe, expect, test, vi } from "vitest";

import { errorOf, makeLedgerFile, openStage, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { counting, countingModel } from "../../../../../test/otlp/counting-flow.ts";
import type { ReceivedSpan } from "../../../../../test/otlp/decode.ts";
import { passTimeUntil } from "../../../../../test/otlp/pass-time.ts";
import { openReceiver, type Receiver, type ReceiverOptions } from "../../../../../test/otlp/receiver.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { TuttiError } from "../../base/errors.ts";
import { toRunTree } from "../../insight/next-run-tree.ts";
import { openSpanReader } from "../../insight/otlp/span-reader.ts";
import { totalsOf } from "../../insight/run-tree.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openTutti } from "../open-tutti.ts";
import { openExporter } from "./otlp-exporter.ts";
import type { OtlpOptions } from "./otlp-target.ts";

const receivers: Receiver[] = [];
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
});

async function receive(options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = await openReceiver(options);
  receivers.push(receiver);
  return receiver;
}

/** An engine on this stage that exports; three runs of ten spans. */
async function playExporting(stage: Stage, otlp: OtlpOptions) {
  const tutti = await stage.open([counting], { models: { fast: countingModel() }, telemetry: { otlp } });
  for (const id of ["a", "b", "c"]) await tutti.run(counting, {}, { id });
  return tutti;
}

const idsOf = (spans: Iterable<Pick<ReceivedSpan, "traceId" | "spanId">>): readonly string[] =>
  [...spans].map(({ traceId, spanId }) => `${traceId} ${spanId}`).toSorted();

async function readSpans(ledger: Ledger) {
  return (await openSpanReader(ledger).read(await ledger.scan(0, 100_000))).spans;
}

describe.each([
  { encoding: "protobuf", type: "application/x-protobuf" },
  { encoding: "json", type: "application/json" },
] as const)("as $encoding", ({ encoding, type }) => {
  test("all that the ledger says arrives, packed, with keys and names, and once", verifies("O10"), async () => {
    const stage = openStage();
    const receiver = await receive();
    const tutti = await playExporting(stage, {
      url: `${receiver.url}/otel/`,
      encoding,
      headers: { "x-key": "sesame" },
      resource: { "service.name": "orchard" },
    });
    await tutti.close(); // what is there is sent before it is closed
    expect(idsOf(receiver.spans.values())).toEqual(idsOf(await readSpans(stage.ledger)));
    expect(receiver.spans.size).toBe(21);
    expect(receiver.requests[0]).toMatchObject({
      path: "/otel/v1/traces",
      headers: { "content-type": type, "content-encoding": "gzip", "x-key": "sesame" },
    });
    await stage.ledger.flush();
    const again = await stage.open([counting], { telemetry: { otlp: { url: `${receiver.url}/otel` } } });
    const before = receiver.requests.length;
    await again.close();
    expect(receiver.requests).toHaveLength(before);
  });
});

test(
  "a receiver that is away, busy or refuses loses nothing: the exporter lags, and runs go on",
  verifies("O10"),
  async () => {
    const stage = openStage();
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const statuses = [503, 429, 401, 400];
    const receiver = await receive({
      refuse: () => {
        const status = statuses.shift();
        return status === undefined ? undefined : { status, headers: { "retry-after": "2" } };
      },
    });
    const tutti = await playExporting(stage, { url: receiver.url, headers: { "x-key": "sesame" } });
    await passTimeUntil(stage, receiver.has(21));
    expect(receiver.requests.length).toBeGreaterThan(4);
    expect(idsOf(receiver.spans.values())).toEqual(idsOf(await readSpans(stage.ledger)));
    expect(JSON.stringify(warning.mock.calls)).toContain("telemetry: it lags");
    expect(JSON.stringify(warning.mock.calls)).not.toContain("sesame");
    warning.mockRestore();
    await tutti.close();
  },
);

test("what is too large for the receiver is sent in parts", verifies("O10"), async () => {
  const stage = openStage();
  const receiver = await receive({ refuse: (_, bytes) => (bytes > 3_000 ? { status: 413 } : undefined) });
  const tutti = await playExporting(stage, { url: receiver.url });
  await tutti.close();
  expect(idsOf(receiver.spans.values())).toEqual(idsOf(await readSpans(stage.ledger)));
});

test("a receiver that takes no events gets the spans all the same", verifies("O10"), async () => {
  const stage = openStage();
  const { playTracedRuns } = await import("../../../../../test/otlp/traced-runs.ts");
  const traced = await playTracedRuns();
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const receiver = await receive({ refuse: (_, __, path) => (path.endsWith("/logs") ? { status: 404 } : undefined) });
  const ledger = { ...traced.ledger, close: async () => {} };
  const tutti = await openTutti({
    flows: [],
    ledger,
    clock: stage.clock,
    recover: false,
    telemetry: { otlp: { url: receiver.url } },
  });
  await tutti.close();
  expect(receiver.spans.size).toBe((await readSpans(traced.ledger)).length);
  expect(JSON.stringify(warning.mock.calls)).toContain("takes no events");
  warning.mockRestore();
  await traced.tutti.close();
});

test("when the ledger is closed under it, it says so once and asks no more", async () => {
  const stage = openStage();
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const scan = vi.fn<Ledger["scan"]>(() => Promise.reject(new TuttiError("LEDGER_CLOSED", "it is closed")));
  const exporter = await openExporter({ ...stage.ledger, scan }, { url: "http://127.0.0.1:9" }, stage.clock);
  for (let minute = 0; minute < 5; minute++) await stage.clock.advance(60_000);
  expect(scan).toHaveBeenCalledTimes(1);
  expect(JSON.stringify(warning.mock.calls)).toContain("it has stopped");
  warning.mockRestore();
  await exporter.close();
});

test("what can't be an address, an encoding or a dialect is said before anything is opened", async () => {
  const stage = openStage();
  for (const otlp of [{ url: "ftp://x" }, { url: "http://x", encoding: "xml" }, { url: "http://x", dialect: "y" }]) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a caller without types could write
    const telemetry = { otlp: otlp as OtlpOptions };
    expect(await errorOf(stage.open([counting], { telemetry }))).toMatchObject({ code: "DEFINITION_INVALID" });
  }
});

const program = fileURLToPath(new URL("../../../../../test/otlp/exporting-process.ts", import.meta.url));

test(
  "the exporting process is killed, the receiver too, again and again: every span arrives, and no token is counted twice",
  verifies("O10", "M4", "D1"),
  async () => {
    const file = await makeLedgerFile();
    let receiver = await receive();
    const port = Number(new URL(receiver.url).port);
    for (const [session, dieAfter] of [35, 60].entries()) {
      const args = ["--conditions=tutti-source", program, file, receiver.url, String(session), "9", String(dieAfter)];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
      const [, signal] = (await once(child, "close")) as readonly unknown[];
      expect(signal).toBe("SIGKILL");
      await receiver.close();
      // The second time nobody is there while the process lives.
      if (session === 1) receiver = await receive({ port, spans: receiver.spans });
    }
    const tutti = await openTutti({
      flows: [counting],
      models: { fast: countingModel() },
      ledger: file,
      control: false,
      telemetry: { otlp: { url: receiver.url } },
    });
    for (const { id } of await tutti.runs()) await (await tutti.open(id)).result();
    const spans = await readSpans(tutti.ledger);
    await receiver.has(spans.length);
    expect(idsOf(receiver.spans.values())).toEqual(idsOf(spans));
    let tokens = 0;
    for (const { id } of await tutti.runs()) {
      const { usage } = totalsOf(toRunTree(await tutti.ledger.read(id)));
      tokens += usage.inputTokens + usage.outputTokens;
    }
    const received = [...receiver.spans.values()].map(({ attributes }) => attributes);
    expect(
      received.reduce(
        (sum, each) =>
          sum + Number(each["gen_ai.usage.input_tokens"] ?? 0) + Number(each["gen_ai.usage.output_tokens"] ?? 0),
        0,
      ),
    ).toBe(tokens);
    expect(tokens).toBeGreaterThan(100);
    await tutti.close();
  },
);

test("our receiver reads what the official exporter sends, so it is a fair judge", async () => {
  const [{ OTLPTraceExporter }, { SimpleSpanProcessor, TracerProvider }] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-proto"),
    import("@opentelemetry/sdk-trace"),
  ]);
  const receiver = await receive();
  const exporter = new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` });
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const span = provider.getTracer("official").startSpan("chat m", { attributes: { "gen_ai.usage.input_tokens": 7 } });
  span.end();
  await receiver.has(1);
  const { traceId, spanId } = span.spanContext();
  expect([...receiver.spans.values()]).toMatchObject([
    { traceId, spanId, name: "chat m", attributes: { "gen_ai.usage.input_tokens": 7 } },
  ]);
  await provider.shutdown();
});
