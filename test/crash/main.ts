import { parseArgs } from "node:util";

import * as fc from "fast-check";

import { tryCase } from "./point.ts";
import { crashCase } from "./program.ts";

/** `npm run crash -- --points N --seed S`: random programs, a crash at every entry, until N points were tried. */
const { values } = parseArgs({ options: { points: { type: "string", default: "100000" }, seed: { type: "string" } } });
const pointsWanted = Number(values.points);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
let points = 0;
let wrong = 0;
let shown = 0;
let round = 0;
while (points < pointsWanted) {
  for (const sample of fc.sample(crashCase, { numRuns: 100, seed: seed + round })) {
    const tried = await tryCase(sample);
    points += tried.points;
    wrong += tried.wrongs.length;
    if (tried.wrongs.length > 0 && shown++ < 3) console.error(JSON.stringify(sample), tried.wrongs.slice(0, 5));
    if (points >= pointsWanted) break;
  }
  round++;
  if (process.stderr.isTTY) process.stderr.write(`\r${points} points, ${wrong} wrong`);
}
console.log(`${points} points, ${wrong} wrong (seed ${seed})`);
process.exitCode = wrong === 0 ? 0 : 1;
