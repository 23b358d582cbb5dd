import { onTestFinished } from "vitest";

import type { Clock } from "../../packages/tutti/src/base/clock.ts";
import { isTuttiError } from "../../packages/tutti/src/base/errors.ts";
import { sha256 } from "../../packages/tutti/src/base/hash.ts";
import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { type EffectKey, type RunId, toEffectKey, toRunId, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import type {
  Blob,
  Claim,
  Durability,
  EffectChange,
  Ledger,
  NewEntry,
  NewRun,
  RunLog,
} from "../../packages/tutti/src/ledger/ledger.ts";

export interface LedgerOptions {
  readonly clock: Clock;
  readonly onEntry?: (entry: LedgerEntry) => void;
  /** Called before each commit and each sync; a sync waits for the promise. */
  readonly fault?: (point: "commit" | "sync", count: number) => void | Promise<void>;
}

/** A store that claims to be a ledger. */
export interface LedgerUnderTest {
  readonly durability: Durability;
  /** A new, empty ledger each time. */
  readonly open: (options: LedgerOptions) => Promise<Ledger>;
}

export interface SettableClock extends Clock {
  set(now: number): void;
}

export function createSettableClock(start = 1_700_000_000_000): SettableClock {
  let now = start;
  return {
    now: () => now,
    after: () => () => {}, // no ledger waits for the clock in these tests
    set(next) {
      now = next;
    },
  };
}

/** What the disk was asked for, and a way to make a sync wait. */
export interface DiskWatch {
  readonly fault: NonNullable<LedgerOptions["fault"]>;
  commits(): number;
  syncs(): number;
  /** Syncs wait from now on, until the returned function is called. */
  hold(): () => void;
}

export function watchDisk(): DiskWatch {
  const counts = { commit: 0, sync: 0 };
  let gate: Promise<void> | undefined;
  return {
    fault(point) {
      counts[point] += 1;
      return point === "sync" ? gate : undefined;
    },
    commits: () => counts.commit,
    syncs: () => counts.sync,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve();
      };
    },
  };
}

/** Opens a ledger that is closed when the test is over. */
export async function openForTest(under: LedgerUnderTest, options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const ledger = await under.open({ clock: createSettableClock(), ...options });
  onTestFinished(() => ledger.close());
  return ledger;
}

export function toNewRun(id: string, more: Partial<NewRun> = {}): NewRun {
  return { id: toRunId(id), flow: "brief", version: "1", body: '{"flow":"brief","version":"1"}', ...more };
}

export async function startAndClaim(ledger: Ledger, id: string): Promise<Claim> {
  const outcome = await ledger.start(toNewRun(id));
  return outcome.kind === "started" ? outcome.claim : ledger.claim(outcome.run);
}

export async function startLogs(ledger: Ledger, count: number): Promise<readonly RunLog[]> {
  const claims = await Promise.all(Array.from({ length: count }, (_, index) => startAndClaim(ledger, `run-${index}`)));
  return claims.map((claim) => claim.log);
}

export function toStep(name: string, more: Partial<NewEntry> = {}): NewEntry {
  return { kind: "step-done", key: `/${name}`, body: JSON.stringify({ out: name }), ...more };
}

/** An entry whose body refers to a value that is stored beside it. */
export function toStepWithBlob(name: string, content: string): NewEntry & { readonly blobs: readonly [Blob] } {
  const blob: Blob = { hash: sha256(content), content };
  const body = JSON.stringify({ outRef: { hash: blob.hash, bytes: content.length } });
  return { kind: "step-done", key: `/${name}`, body, blobs: [blob] };
}

export const page: EffectKey = toEffectKey("page.publish:home");

export function toIntent(step: string, digest = "d1", key: EffectKey = page): NewEntry {
  const body = JSON.stringify({ effect: key, tool: "page.publish", class: "once", digest });
  const effect = { key, step: toStepKey(step), tool: "page.publish", class: "once", digest } as const;
  return { kind: "effect-intended", key: step, body, effect: { kind: "intend", effect } };
}

export function toSettled(step: string, key: EffectKey = page): NewEntry {
  const body = JSON.stringify({ effect: key, by: "tool" });
  return { kind: "effect-settled", key: step, body, effect: { kind: "change", key, state: "settled" } };
}

export function toChange(
  step: string,
  state: Extract<EffectChange, { kind: "change" }>["state"],
  key: EffectKey = page,
): NewEntry {
  return { ...toStep(step), effect: { kind: "change", key, state } };
}

/** The code a promise was rejected with; what it resolved to, if it was not. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { resolved: await promise };
  } catch (error) {
    return isTuttiError(error) ? error.code : error;
  }
}

/** Lets so many turns of the event loop pass. */
export async function passTurns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Every entry of the ledger, in order. */
export function scanAll(ledger: Ledger): Promise<readonly LedgerEntry[]> {
  return ledger.scan(0, 1_000_000);
}

export async function keysOf(ledger: Ledger, run: RunId): Promise<readonly string[]> {
  return (await ledger.read(run)).slice(1).map((entry) => entry.key);
}
