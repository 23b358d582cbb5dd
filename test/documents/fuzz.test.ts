import { readdirSync, readFileSync } from "node:fs";

import { assert, asyncProperty, sample } from "fast-check";
import { expect, test } from "vitest";

import type { Ledger, NewEntry, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { toRunLog } from "../../packages/tutti/src/ledger/run-log.ts";
import { openChance } from "../crash/tick-clock.ts";
import { changeClaims } from "../ledger/change-claims.ts";
import { verifies } from "../verifies.ts";
import { live } from "./fuzz-life.ts";
import { fuzzCase, type FuzzCase } from "./fuzz-program.ts";
import { findAnomalies } from "./serial.ts";

const crashesPerCase = 3;

/** Lives a case once, then again from a crash at some of its entries. Everything that is wrong with any of these histories. */
async function tryCase(crashCase: FuzzCase): Promise<readonly string[]> {
  const original = await live(crashCase, { entries: [], seed: crashCase.seed });
  const wrongs = [...original.wrongs, ...findAnomalies(original.entries)];
  const chance = openChance(crashCase.seed);
  for (let crash = 0; crash < crashesPerCase; crash++) {
    const cut = 1 + Math.floor(chance() * original.entries.length);
    const past = original.entries.slice(0, cut);
    const next = await live(crashCase, { entries: past, seed: crashCase.seed + cut });
    const kept = next.entries.slice(0, cut).map(({ run, key, kind, body }) => `${run}${key} ${kind} ${body}`);
    expect(kept).toEqual(past.map(({ run, key, kind, body }) => `${run}${key} ${kind} ${body}`));
    const found = [...next.wrongs, ...findAnomalies(next.entries)];
    wrongs.push(...found.map((wrong) => `crash after entry ${cut}: ${wrong}`));
  }
  return wrongs;
}

test(
  "whatever runs do to documents at once, and wherever the process dies, the history is serialisable and nothing is lost",
  { ...verifies("S1", "S2", "S3", "D2"), timeout: 60_000 },
  async () => {
    await assert(
      asyncProperty(fuzzCase, async (crashCase) => {
        expect(await tryCase(crashCase)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  },
);

function blind(entry: NewEntry): NewEntry {
  const { document } = entry;
  if (document?.kind !== "commit" && document?.kind !== "rely") return entry;
  // Knows the versions, and hands none of them over to be looked at.
  const reads = Object.assign(new Map(), { get: document.reads.get.bind(document.reads) });
  return { ...entry, document: { ...document, reads } };
}

function toBlindLog(log: RunLog): RunLog {
  return toRunLog({ ...log, write: (entry, waiter, ahead) => log.write(blind(entry), waiter, ahead) });
}

/** A ledger that believes whatever is said about documents: the versions that entries rely on are not looked at. */
function withoutValidation(ledger: Ledger): Ledger {
  return { ...ledger, ...changeClaims(ledger, (claim) => ({ ...claim, log: toBlindLog(claim.log) })) };
}

test("with the validation taken out, the same cases lose updates, act on stale data and are not serialisable", async () => {
  const found = new Set<string>();
  for (const crashCase of sample(fuzzCase, { numRuns: 60, seed: 20_261_127 })) {
    const { entries } = await live(crashCase, { entries: [], seed: crashCase.seed }, withoutValidation);
    for (const wrong of findAnomalies(entries)) found.add(wrong.split(":")[0] ?? "");
  }
  expect([...found].toSorted()).toEqual(expect.arrayContaining(["lost update", "not serialisable", "stale"]));
});

const regressions = readdirSync(new URL("regressions", import.meta.url));

test.for(regressions)("a case that once went wrong stays right: %s", async (name) => {
  const path = new URL(`regressions/${name}`, import.meta.url);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by hand from what the generator found
  const { case: kept, cut } = JSON.parse(readFileSync(path, "utf8")) as {
    readonly case: FuzzCase;
    readonly cut: number;
  };
  const original = await live(kept, { entries: [], seed: kept.seed });
  const next = await live(kept, { entries: original.entries.slice(0, cut), seed: kept.seed + cut });
  expect([...original.wrongs, ...next.wrongs, ...findAnomalies(next.entries)]).toEqual([]);
});
