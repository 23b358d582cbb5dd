import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";

import { openTutti, type LedgerEntry } from "tutti";

import type { Services, World } from "./server.ts";
import { findWrongs, type Trial, type Tried } from "./trials.ts";

const killsMax = 2;
const livesMax = killsMax + 1;

/** Lives a trial in processes of their own, on disk; each is killed by SIGKILL while the services hear its nth request. */
export async function liveKilled(
  services: Services,
  { trial, folder }: { readonly trial: Trial; readonly folder: string },
): Promise<Tried> {
  const world = services.open(trial.name, trial.faults);
  mkdirSync(folder, { recursive: true });
  const ledger = path.join(folder, `${trial.name}.db`);
  const words = JSON.stringify({
    url: `${services.url}/${trial.name}`,
    ledger,
    signUp: trial.signUp,
    triggers: trial.triggers,
  });
  const doubts: string[] = [];
  let lives = 0;
  for (; lives < livesMax; lives++) {
    // The first deaths come early, while everything is at work; the last life is left alone.
    const killAt = lives < killsMax ? 1 + ((trial.faults.length + lives * 3) % 5) : undefined;
    const end = await liveOnce(words, world, killAt);
    doubts.push(...end.out.split("\n").filter((line) => line !== ""));
    if (end.code === 0) break;
    if (end.signal !== "SIGKILL") throw new Error(`${trial.name} ended with ${end.code}: ${end.err}`);
  }
  return { world, lives: lives + 1, doubts, ...(await readBack(ledger, world)) };
}

async function readBack(
  file: string,
  world: World,
): Promise<{ readonly entries: LedgerEntry[]; readonly wrongs: readonly string[] }> {
  const tutti = await openTutti({ flows: [], ledger: file, recover: false });
  const { ledger } = tutti;
  const entries: LedgerEntry[] = [];
  for (;;) {
    const page = await ledger.scan(entries.length, 1_000);
    if (page.length === 0) break;
    entries.push(...page);
  }
  const wrongs = await findWrongs({ world, ledger, entries });
  await tutti.close();
  return { entries, wrongs };
}

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

function liveOnce(words: string, world: World, killAt: number | undefined): Promise<End> {
  const child = spawn(process.execPath, [...process.execArgv, path.join(import.meta.dirname, "life.ts"), words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let heard = 0;
  world.onRequest = () => {
    heard += 1;
    if (heard === killAt) child.kill("SIGKILL");
  };
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (said.out += String(chunk)));
  child.stderr.on("data", (chunk) => (said.err += String(chunk)));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...said }));
  });
}
