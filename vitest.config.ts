import { defineConfig } from "vitest/config";

/** The order of tests is shuffled, always with this seed, so that a failure can be repeated. Set TUTTI_SEED to try another. */
const seed = Number(process.env["TUTTI_SEED"] ?? "20261120");

export default defineConfig({
  // Workspace packages resolve to their TypeScript source; the rest are the defaults of a Node server.
  ssr: { resolve: { conditions: ["tutti-source", "module", "node", "development|production"] } },
  test: {
    include: ["packages/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/out/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { shuffle: { files: false, tests: true }, seed },
    typecheck: {
      enabled: true,
      ignoreSourceErrors: true,
      include: ["packages/**/*.test-d.ts", "test/**/*.test-d.ts"],
      tsconfig: "./tsconfig.json",
    },
    passWithNoTests: false,
  },
});
