import { playAll, toTable } from "./breach-table.ts";

process.stdout.write(`${toTable(await playAll())}\n`);
