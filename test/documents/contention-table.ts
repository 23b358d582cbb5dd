import { contend, type Contention } from "./contention.ts";

/** Prints the figures of decisions/016-documents.md: `node scripts/run.mjs test/documents/contention-table.ts`. */
const seeds = [1, 2, 3, 4, 5] as const;
const shapes = [
  { agents: 8, hot: 0.5 },
  { agents: 16, hot: 0.5 },
  { agents: 8, hot: 0.2 },
] as const;

async function mean(contention: Omit<Contention, "seed">): Promise<Record<string, unknown>> {
  const sum = { workS: 0, makespanS: 0, lostUpdates: 0, staleCommits: 0 };
  for (const seed of seeds) {
    const run = await contend({ ...contention, seed });
    for (const name of ["workS", "makespanS", "lostUpdates", "staleCommits"] as const) sum[name] += run[name];
  }
  const means = Object.entries(sum).map(([name, total]) => [name, Math.round(total / seeds.length)]);
  return { ...contention, ...Object.fromEntries(means) };
}

const rows: Record<string, unknown>[] = [];
for (const shape of shapes)
  for (const invalidation of ["commit", "push"] as const) rows.push(await mean({ ...shape, steps: 400, invalidation }));
for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
