// What telemetry costs: node scripts/run.mjs packages/tutti/src/engine/telemetry/telemetry.bench.ts
// Rounds are interleaved; each line gives the quickest. Processor time is this process's alone: the receiver, which throws everything away, is another.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { counting, countingModel } from "../../../../../test/otlp/counting-flow.ts";
import { openMetrics } from "../../insight/metrics/metrics.ts";
import { spansToJson } from "../../insight/otlp/encode-json.ts";
import { encodeSpans } from "../../insight/otlp/encode-protobuf.ts";
import { openSpanReader } from "../../insight/otlp/span-reader.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openTutti } from "../open-tutti.ts";
import { toOrigin } from "./otlp-target.ts";

const runsPerRound = 500;
const rounds = 5;

if (process.argv[2] === "receiver") receive();
else await measure();

function receive(): void {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end());
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object" && address !== null) process.stdout.write(`${address.port}\n`);
  });
}

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tutti-telemetry-"));
  const program = fileURLToPath(import.meta.url);
  const receiver = spawn(process.execPath, ["--conditions=tutti-source", program, "receiver"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [port] = await once(receiver.stdout, "data");
    const url = `http://127.0.0.1:${Number(String(port))}`;
    const best = { without: Number.POSITIVE_INFINITY, with: Number.POSITIVE_INFINITY };
    for (let round = 0; round < rounds; round++) {
      best.without = Math.min(best.without, await play(join(folder, `a${round}.db`), undefined));
      best.with = Math.min(best.with, await play(join(folder, `b${round}.db`), url));
    }
    const entries = runsPerRound * 10;
    say(
      `an engine, ${entries} entries: ${best.without.toFixed(0)} ms of processor without, ${best.with.toFixed(0)} with an exporter`,
    );
    say(`  which is ${(((best.with - best.without) * 1_000) / entries).toFixed(1)} µs an entry`);
    await measureReading(join(folder, "a0.db"));
  } finally {
    receiver.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Processor time of so many runs, everything sent and closed. */
async function play(ledger: string, url: string | undefined): Promise<number> {
  const before = process.cpuUsage();
  const tutti = await openTutti({
    flows: [counting],
    models: { fast: countingModel() },
    ledger,
    durability: "process",
    control: false,
    ...(url === undefined ? {} : { telemetry: { otlp: { url } } }),
  });
  for (let at = 0; at < runsPerRound; at++) await tutti.run(counting, {}, { id: `r${at}` });
  await tutti.close();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

async function measureReading(path: string): Promise<void> {
  const tutti = await openTutti({ flows: [counting], ledger: path, control: false });
  const { ledger } = tutti;
  const origin = toOrigin();
  const spans = await readAll(ledger);
  const reading = await quickest(() => readAll(ledger));
  const protobuf = await quickest(() => encodeSpans(spans, origin));
  const json = await quickest(() => spansToJson(spans, origin));
  const counted = await quickest(() => openMetrics({ ledger }).read());
  const bytes = encodeSpans(spans, origin);
  const text = Buffer.from(spansToJson(spans, origin));
  const per = (ms: number): string => `${((ms * 1_000) / spans.length).toFixed(1)} µs a span`;
  say(`reading spans from the ledger: ${per(reading)}; protobuf ${per(protobuf)}; JSON ${per(json)}`);
  say(`metrics, first reading: ${per(counted)}`);
  say(
    `a span has ${Math.round(bytes.length / spans.length)} bytes as protobuf (${Math.round(gzipSync(bytes).length / spans.length)} packed), ` +
      `${Math.round(text.length / spans.length)} as JSON (${Math.round(gzipSync(text).length / spans.length)} packed)`,
  );
  await tutti.close();
}

async function readAll(ledger: Ledger) {
  const reader = openSpanReader(ledger);
  const spans = [];
  for (let after = 0; ;) {
    const page = await ledger.scan(after, 500);
    const last = page.at(-1);
    if (last === undefined) return spans;
    after = last.lsn;
    spans.push(...(await reader.read(page)).spans);
  }
}

/** Milliseconds of processor. */
async function quickest(work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1_000);
  }
  return best;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
