import { readdirSync, readFileSync } from "node:fs";

import { assert, asyncProperty, sample } from "fast-check";
import { expect, test } from "vitest";

import { bodyOf, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { Ledger, NewEntry } from "../../packages/tutti/src/ledger/ledger.ts";
import { wrapLog } from "../../packages/tutti/src/ledger/run-log.ts";
import { openChance } from "../crash/tick-clock.ts";
import { changeClaims } from "../ledger/change-claims.ts";
import { verifies } from "../verifies.ts";
import { live, toDirective, type Deed, type World } from "./fuzz-life.ts";
import { fuzzCase, type FuzzCase } from "./fuzz-program.ts";

const crashesPerCase = 3;

function openWorld(): World {
  return { done: new Map(), wrongs: [] };
}

/** Every intent of an agent, and of code that looked, stands on the newest directive of its run and of all runs above. */
function findOldIntents(entries: readonly LedgerEntry[]): readonly string[] {
  const wrongs: string[] = [];
  const above = new Map<string, readonly string[]>();
  const agents = new Set<string>();
  const newest = new Map<string, number>();
  const said = new Map<string, number>();
  for (const entry of entries) {
    const { run, key } = entry;
    if (entry.kind === "run-started")
      above.set(
        run,
        (bodyOf(entry, entry.kind).ancestors ?? []).map((each) => each.run),
      );
    if (entry.kind === "agent-started") agents.add(`${run}${key}`);
    if (entry.kind === "directive-given") {
      const { from, version, text } = bodyOf(entry, entry.kind);
      if (from !== undefined) continue;
      if (version !== (newest.get(run) ?? 0) + 1)
        wrongs.push(`version ${version} of ${run} follows ${newest.get(run)}`);
      newest.set(run, version);
      const number = /number (\d+)\./u.exec(text ?? "")?.[1];
      if (number === undefined) continue;
      said.delete(run); // the one that was said last stands last
      said.set(run, Number(number));
    }
    if (entry.kind !== "effect-intended") continue;
    const { reads = {}, input } = bodyOf(entry, entry.kind);
    const isAgents = agents.has(`${run}${key.slice(0, key.lastIndexOf("/"))}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the tool calls of these cases
    const { seen = [], looked } = input as { readonly seen?: readonly number[]; readonly looked?: number };
    if (!isAgents && looked === undefined) continue;
    const sources = [run, ...(above.get(run) ?? [])];
    for (const source of sources) {
      const wanted = newest.get(source) ?? 0;
      const relied = reads[`@directive/${source}`] ?? 0;
      if (relied !== wanted)
        wrongs.push(`${run}${key} was intended under ${source}@${relied}, and ${wanted} is the newest`);
    }
    const last = [...said].findLast(([source]) => sources.includes(source))?.[1];
    if (isAgents && last !== undefined && !seen.includes(last))
      wrongs.push(`${run}${key} was decided by a model that knew ${seen.join(", ")} and not ${last}`);
  }
  return wrongs;
}

let number = 0;

/** People say something at random moments: to the run, or to one below it. */
function toDeeds(
  crashCase: FuzzCase,
  { length, seed }: { readonly length: number; readonly seed: number },
): readonly Deed[] {
  const chance = openChance(seed);
  return crashCase.moments.map((moment, index) => ({
    at: Math.max(1, Math.floor((length * moment) / 100)),
    async what(tutti) {
      const open = await tutti.runs({ flow: "task", statuses: ["running", "waiting"] });
      const run = open[Math.floor(chance() * open.length)];
      if (run === undefined) return;
      const handle = await tutti.open(run.id);
      await handle.steer(toDirective(crashCase.kinds[index] ?? "goal", ++number), { by: "Ada", reason: "why not" });
    },
  }));
}

function toLines(entries: readonly LedgerEntry[]): readonly string[] {
  return entries.map(({ run, key, kind, body }) => `${run}${key} ${kind} ${body}`);
}

async function tryDirectives(crashCase: FuzzCase, sabotage?: (ledger: Ledger) => Ledger): Promise<readonly string[]> {
  const { seed } = crashCase;
  const quiet = await live(crashCase, { entries: [], seed, world: openWorld() }, { deeds: [] });
  const world = openWorld();
  const options = sabotage === undefined ? {} : { sabotage };
  const original = await live(
    crashCase,
    { entries: [], seed, world },
    { deeds: toDeeds(crashCase, { length: quiet.length, seed }), ...options },
  );
  const wrongs = [...world.wrongs, ...findOldIntents(original)];
  const chance = openChance(seed);
  for (let crash = 0; crash < (sabotage === undefined ? crashesPerCase : 0); crash++) {
    const cut = toCut(original, 1 + Math.floor(chance() * original.length));
    const past = original.slice(0, cut);
    const later = openWorld();
    for (const key of settledIn(past)) later.done.set(key, 1);
    const deeds = toDeeds(crashCase, { length: Math.max(quiet.length, cut + 5), seed: seed + cut }).map((deed) => ({
      ...deed,
      at: Math.max(deed.at, cut + 1),
    }));
    const next = await live(crashCase, { entries: past, seed: seed + cut, world: later }, { deeds });
    expect(toLines(next.slice(0, cut))).toEqual(toLines(past));
    const twice = [...later.done].filter(([, count]) => count > 1).map(([key]) => `${key} was done twice`);
    const diverged = next.filter((entry) => entry.kind === "run-parked").map((entry) => `parked: ${entry.body}`);
    wrongs.push(
      ...[...later.wrongs, ...twice, ...diverged, ...findOldIntents(next)].map(
        (wrong) => `crash after entry ${cut}: ${wrong}`,
      ),
    );
  }
  return wrongs;
}

/** A child is written down and started in one transaction, which a crash does not part. */
function toCut(entries: readonly LedgerEntry[], cut: number): number {
  return entries[cut - 1]?.kind === "child-started" ? cut + 1 : cut;
}

function settledIn(entries: readonly LedgerEntry[]): readonly string[] {
  return entries.flatMap((entry) => (entry.kind === "effect-settled" ? [bodyOf(entry, entry.kind).effect] : []));
}

test(
  "whatever runs, whenever a person says something and wherever the process dies: no intent is written under an old directive",
  { ...verifies("G5", "S2", "D2"), timeout: 120_000 },
  async () => {
    await assert(
      asyncProperty(fuzzCase, async (crashCase) => {
        expect(await tryDirectives(crashCase)).toEqual([]);
      }),
      { numRuns: 250 },
    );
  },
);

function blind(entry: NewEntry): NewEntry {
  if (entry.document?.kind !== "rely") return entry;
  const { document: _unchecked, ...rest } = entry;
  return rest;
}

/** A ledger that does not look at what an intent relies on. */
function withoutValidation(ledger: Ledger): Ledger {
  return {
    ...ledger,
    ...changeClaims(ledger, ({ log, ...claim }) => ({
      ...claim,
      log: wrapLog(log, { write: (entry, waiter, pace) => log.write(blind(entry), waiter, pace) }),
    })),
  };
}

test("with the validation taken out, the same cases find intents under old directives", async () => {
  const found: string[] = [];
  for (const crashCase of sample(fuzzCase, { numRuns: 80, seed: 20_261_128 }))
    found.push(...(await tryDirectives(crashCase, withoutValidation)));
  expect(found.some((wrong) => wrong.includes("is the newest"))).toBe(true);
});

/** Frozen at a random moment, alive or dead meanwhile; lifted when everything has come to rest. */
async function tryFreeze(crashCase: FuzzCase): Promise<readonly string[]> {
  const { seed, freeze } = crashCase;
  const quiet = await live(crashCase, { entries: [], seed, world: openWorld() }, { deeds: [] });
  const world = openWorld();
  let frozen = false;
  const isFrozen = (agentWork: boolean): boolean => frozen && (freeze.reach !== "agent" || agentWork);
  const onEntry = ({ kind }: LedgerEntry): void => {
    if (kind === "freeze-set") frozen = true;
    if (kind === "freeze-lifted") frozen = false;
  };
  const moment = Math.max(1, Math.floor((quiet.length * (crashCase.moments[0] ?? 50)) / 100));
  const lift: Deed["what"] = async (tutti) => {
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
    await tutti.unfreeze(freeze, { by: "Bob" });
  };
  const deeds: readonly Deed[] = [
    {
      at: moment,
      async what(tutti) {
        await tutti.freeze(freeze, { by: "Ada" });
        await lift(tutti);
      },
    },
  ];
  const original = await live(crashCase, { entries: [], seed, world }, { deeds, isFrozen, onEntry });
  const wrongs = [...world.wrongs, ...findTwice(world), ...findLost(quiet, original)];
  const set = original.findIndex((entry) => entry.kind === "freeze-set");
  if (set < 0) return wrongs;
  const chance = openChance(seed);
  for (let crash = 0; crash < crashesPerCase; crash++) {
    const lifted = original.findIndex((entry) => entry.kind === "freeze-lifted");
    const cut = toCut(original, set + 1 + Math.floor(chance() * Math.max(1, lifted - set)));
    const past = original.slice(0, cut);
    const later = openWorld();
    for (const key of settledIn(past)) later.done.set(key, 1);
    frozen = false;
    await live(
      crashCase,
      { entries: past, seed: seed + cut, world: later },
      { deeds: [{ at: cut, what: lift }], isFrozen, onEntry },
    );
    wrongs.push(...[...later.wrongs, ...findTwice(later)].map((wrong) => `crash after entry ${cut}: ${wrong}`));
  }
  return wrongs;
}

function findTwice({ done }: World): readonly string[] {
  return [...done].filter(([, count]) => count > 1).map(([key]) => `${key} was done twice`);
}

/** What is done without a freeze is done with one, later. */
function findLost(quiet: readonly LedgerEntry[], frozen: readonly LedgerEntry[]): readonly string[] {
  const done = new Set(settledIn(frozen));
  return settledIn(quiet)
    .filter((key) => !done.has(key))
    .map((key) => `${key} was lost`);
}

test(
  "whatever runs, whenever it is frozen and wherever the process dies: nothing is begun after the freeze's entry, and nothing is lost",
  { ...verifies("G14", "D2"), timeout: 120_000 },
  async () => {
    await assert(
      asyncProperty(fuzzCase, async (crashCase) => {
        expect(await tryFreeze(crashCase)).toEqual([]);
      }),
      { numRuns: 250 },
    );
  },
);

test.for(readdirSync(new URL("regressions", import.meta.url)))(
  "a case that once went wrong stays right: %s",
  async (name) => {
    const text = readFileSync(new URL(`regressions/${name}`, import.meta.url), "utf8");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by hand from what the generator found
    const kept = JSON.parse(text) as FuzzCase;
    expect([...(await tryDirectives(kept)), ...(await tryFreeze(kept))]).toEqual([]);
  },
);
