import { readdirSync, readFileSync } from "node:fs";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { tryCase } from "./crash/point.ts";
import { crashCase, type CrashCase, type Program } from "./crash/program.ts";
import { verifies } from "./verifies.ts";

/** The same programs every time; TUTTI_SEED tries others, `npm run crash` very many. */
const seed = Number(process.env["TUTTI_SEED"] ?? "20261120");
/** Enough for all the points that any of these tests wants: a case has about 15. */
const casesMax = 20_000;
const regressions = new URL("./crash/regressions/", import.meta.url);

test.for(readdirSync(regressions).toSorted())(
  "a small program that once told a fault from its absence is recovered rightly: %s",
  verifies("D1", "D2", "D3"),
  async (file) => {
    // Written by JSON.stringify from a case; what it leaves out is undefined.
    const kept = JSON.parse(readFileSync(new URL(file, regressions), "utf8")) as CrashCase; // eslint-disable-line typescript/no-unsafe-type-assertion -- our own file
    const { points, wrongs } = await tryCase(kept);
    expect(points).toBeGreaterThan(1);
    expect(wrongs).toEqual([]);
  },
);

test(
  "random programs, killed after each of 10,000 ledger entries, go on as if nothing had happened: 0 points wrong",
  verifies("D1", "D2", "D3", "D6", "D9", "D11", "D17", "C2", "C3"),
  async ({ annotate }) => {
    const tried = await crashEverywhere(crashCase, 10_000);
    await annotate(`${tried.points} points, 0 wrong`);
    expect(tried.points).toBeGreaterThanOrEqual(10_000);
    // The programs are made of everything that a flow can do.
    expect([...tried.kinds].toSorted()).toEqual(
      "agent all caught child effect map native-all native-race race scope sequence sleep step tool value wait".split(
        " ",
      ),
    );
  },
);

const variants = [
  ["cancelled at any moment ends, with its children", "D11", crashCase.chain(toCancelled)],
  ["that fails takes back everything that can be taken back", "D6", crashCase.map(toFailing)],
  ["let go of at every rest goes on after it", "D9", crashCase.map(toResting)],
  ["that waits for a child run gets its result", "D17", crashCase.map(toParent)],
] as const;

for (const [promise, id, cases] of variants) {
  test(
    `a random program ${promise}, whatever entry the process dies after: 1,000 points, 0 wrong`,
    verifies(id),
    async () => {
      const tried = await crashEverywhere(cases, 1_000);
      expect(tried.points).toBeGreaterThanOrEqual(1_000);
    },
  );
}

interface Tried {
  readonly points: number;
  readonly kinds: ReadonlySet<Program["kind"]>;
}

/** Tries cases until there were enough points. A case that goes wrong is made as small as possible; its text and the seed are in the failure. */
async function crashEverywhere(cases: fc.Arbitrary<CrashCase>, pointsMin: number): Promise<Tried> {
  const kinds = new Set<Program["kind"]>();
  let points = 0;
  let hasFailed = false;
  const property = fc.asyncProperty(cases, async (sample) => {
    if (points >= pointsMin && !hasFailed) return;
    const tried = await tryCase(sample);
    points += tried.points;
    for (const kind of kindsOf(sample.program)) kinds.add(kind);
    if (tried.wrongs.length === 0) return;
    hasFailed = true;
    throw new Error(
      `keep this case in test/crash/regressions: ${JSON.stringify(sample)}\n${tried.wrongs.slice(0, 5).join("\n")}`,
    );
  });
  await fc.assert(property, { seed, numRuns: casesMax });
  return { points, kinds };
}

function kindsOf(program: Program): readonly Program["kind"][] {
  if ("parts" in program) return [program.kind, ...program.parts.flatMap(kindsOf)];
  return "body" in program ? [program.kind, ...kindsOf(program.body)] : [program.kind];
}

function toCancelled(sample: CrashCase): fc.Arbitrary<CrashCase> {
  return fc.nat({ max: 40 }).map((cancelAfter) => ({ ...sample, cancelAfter }));
}

function toFailing(sample: CrashCase): CrashCase {
  const fatal: Program = { kind: "step", name: "a", ticks: 1, effect: "local", failures: 0, fatal: true };
  return { ...sample, onFailure: "undo", program: { kind: "sequence", parts: [sample.program, fatal] } };
}

function toResting(sample: CrashCase): CrashCase {
  const sleep: Program = { kind: "sleep", ms: 3 };
  return { ...sample, alwaysEvict: true, program: { kind: "sequence", parts: [sleep, sample.program, sleep] } };
}

function toParent(sample: CrashCase): CrashCase {
  return {
    ...sample,
    program: {
      kind: "all",
      need: "all",
      siblings: "cancel",
      parts: [{ kind: "child", body: sample.program }, sample.program],
    },
  };
}
