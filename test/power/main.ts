// Cuts the power by hand: node scripts/run.mjs test/power/main.ts [--images N] [--seed N]
// Ends with 0 if no image lost what was acknowledged, none was damaged, and the planted fault was found.
import { parseArgs } from "node:util";

import { explorePowerCuts } from "./explore.ts";

const { values } = parseArgs({ options: { images: { type: "string" }, seed: { type: "string" } } });
const images = Number(values.images ?? "10000");
const seed = Number(values.seed ?? "1");

const power = await explorePowerCuts({ durability: "power", images, seed });
process.stdout.write(`power: ${JSON.stringify(power, null, 2)}\n`);
// What is acknowledged without a sync must be seen to get lost, or this tool would prove nothing.
const planted = await explorePowerCuts({ durability: "process", images: Math.min(images, 1_000), seed });
process.stdout.write(`process (must lose entries): ${JSON.stringify(planted, null, 2)}\n`);
const isGood = power.lost === 0 && power.damaged === 0 && planted.lost > 0 && planted.damaged === 0;
process.stdout.write(isGood ? "good\n" : "BAD\n");
process.exitCode = isGood ? 0 : 1;
