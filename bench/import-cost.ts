import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { builtEntry } from "./built.ts";
import type { Measures } from "./numbers.ts";
import type { Spawned } from "./spawn-cell.ts";
import type { Turn } from "./turn.ts";

/** What a user's first line costs: the import alone, in a process that has done nothing else. */
export async function measureImport({ entrant }: Turn): Promise<Spawned> {
  const specifier = entrant.imports ?? pathToFileURL(builtEntry).href;
  const program = `
    const from = performance.now();
    await import(${JSON.stringify(specifier)});
    const ms = performance.now() - from;
    console.log(JSON.stringify({ ms, rssMb: process.memoryUsage.rss() / 1024 / 1024 }));
    process.exit(0);`;
  const cwd = dirname(join(import.meta.dirname, entrant.file));
  const result = spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd, encoding: "utf8" });
  const line = result.stdout.split("\n").find((each) => each.startsWith('{"ms"'));
  if (result.status !== 0 || line === undefined) return { kind: "failed", why: result.stderr.slice(0, 300) };
  const measures: Measures = JSON.parse(line);
  return { kind: "measured", measures };
}
