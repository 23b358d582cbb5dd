import { findSignalWrongs } from "./signal-charge.ts";

const { points, wrongs } = await findSignalWrongs();
process.stdout.write(`${points} points, ${wrongs.length} wrong\n`);
process.exitCode = wrongs.length === 0 ? 0 : 1;
