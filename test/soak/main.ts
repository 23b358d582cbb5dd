import { parseArgs } from "node:util";

import { describeSoak, soak } from "./soak.ts";

/** `npm run soak -- --kills N --seed S`: a working process is killed N times, and nothing may be done twice, lost or kept quiet about. */
const { values } = parseArgs({ options: { kills: { type: "string", default: "1000" }, seed: { type: "string" } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const result = await soak({
  kills: Number(values.kills),
  seed,
  onRound(sum) {
    if (process.stderr.isTTY) process.stderr.write(`\r${describeSoak(sum)}`);
  },
});
for (const { kind, what } of result.findings.slice(0, 20)) console.error(`${kind}: ${what}`);
console.log(`${describeSoak(result)} (seed ${seed})`);
process.exitCode = result.findings.length === 0 ? 0 : 1;
