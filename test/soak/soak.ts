import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openChance } from "../crash/tick-clock.ts";
import { openAudit, tallied, type Finding, type FindingKind, type Tally } from "./audit.ts";
import { liveOnce, startRecorder } from "./life.ts";
import { openRecorderClient } from "./recorder-client.ts";

export interface SoakResult {
  readonly kills: number;
  readonly counts: Readonly<Record<FindingKind, number>>;
  readonly findings: readonly Finding[];
  readonly tally: Readonly<Tally>;
}

/** So many kills share one ledger; then everything has to come to its end, and the next ones get a new one. */
const killsPerLedger = 60;

/** Kills a working process again and again, lets the last one finish, and compares the ledger with the world. */
export async function soak(options: {
  readonly kills: number;
  readonly seed: number;
  readonly onRound?: (result: SoakResult) => void;
}): Promise<SoakResult> {
  let sum: SoakResult | undefined;
  for (let round = 0; (sum?.kills ?? 0) < options.kills; round++) {
    const kills = Math.min(killsPerLedger, options.kills - (sum?.kills ?? 0));
    const result = await soakLedger(kills, options.seed + round);
    sum = sum === undefined ? result : add(sum, result);
    options.onRound?.(sum);
    if (result.kills < kills) break; // the worker does not even live long enough to be killed
  }
  if (sum === undefined) throw new Error("a soak needs at least one kill");
  return sum;
}

export function describeSoak({ kills, counts }: SoakResult): string {
  return `${kills} kills, ${counts.duplicate} duplicates, ${counts.lost} lost, ${counts.undisclosed} undisclosed, ${counts.stuck} stuck`;
}

async function soakLedger(kills: number, seed: number): Promise<SoakResult> {
  const folder = await mkdtemp(join(tmpdir(), "tutti-soak-"));
  const file = join(folder, "ledger.db");
  const chance = openChance(seed);
  try {
    await using recorder = await startRecorder(seed);
    const client = openRecorderClient(recorder.port);
    const audit = openAudit(file, client);
    const troubles: Finding[] = [];
    const base = { file, port: recorder.port };
    let killed = 0;
    for (let life = 1; killed < kills; life++) {
      const end = await liveOnce({ ...base, life, seed: seed + life, kill: toKill(chance, life) });
      await client.quiet();
      if (end.wasKilled) killed++;
      else troubles.push({ kind: "stuck", what: `life ${life} ended by itself with ${end.exitCode}` });
      if (troubles.length > 3) break;
      await audit.afterLife(end.lines);
    }
    const last = await liveOnce({ ...base, life: 0, seed });
    if (last.exitCode !== 0) troubles.push({ kind: "stuck", what: `the last life ended with ${last.exitCode}` });
    await client.quiet();
    await audit.afterLife(last.lines);
    await audit.atEnd();
    return toResult(killed, [...audit.findings, ...troubles], audit.tally);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Sometimes while the process still opens its ledger, often while it recovers, mostly in the middle of work. The first life has to make a ledger. */
function toKill(chance: () => number, life: number): { readonly from: "start" | "opened"; readonly afterMs: number } {
  const kind = life === 1 ? 1 : chance();
  const luck = chance();
  if (kind < 0.05) return { from: "start", afterMs: luck * 300 };
  return { from: "opened", afterMs: kind < 0.3 ? luck * 40 : 40 + luck * 400 };
}

function toResult(kills: number, findings: readonly Finding[], tally: Readonly<Tally>): SoakResult {
  const counts: Record<FindingKind, number> = { duplicate: 0, lost: 0, undisclosed: 0, stuck: 0 };
  for (const { kind } of findings) counts[kind]++;
  return { kills, counts, findings, tally };
}

function add(left: SoakResult, right: SoakResult): SoakResult {
  const tally = { ...left.tally };
  for (const name of tallied) tally[name] += right.tally[name];
  return toResult(left.kills + right.kills, [...left.findings, ...right.findings], tally);
}
