import { findUndoOrderWrongs } from "./undo-order.ts";

const { points, wrongs } = await findUndoOrderWrongs();
process.stdout.write(`${points} points, ${wrongs.length} wrong\n`);
process.exitCode = wrongs.length === 0 ? 0 : 1;
