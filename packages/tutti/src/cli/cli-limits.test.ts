import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { anything, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { fields, integer, listOf, text } from "../base/shape.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { tool } from "../tools/tool.ts";

const jsonLine = fields({}, { limit: text, id: text, inUse: integer, waitsFor: listOf(text) });

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

test(
  "limits and budgets of a file are kept, a spent budget leaves with 5, and `tutti limits` shows both",
  verifies("X6", "G11", "D7"),
  async () => {
    expect(await cli.run(["limits"])).toMatchObject({ code: 0, stdout: "" });
    const result = await cli.run(["run", path.join(cliFlows, "spending.ts")]);
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain("flow/spending has 0.2 of 1 US dollars left (0.8 spent, 0 reserved)");
    const shown = await cli.run(["limits"]);
    // How long calls took is not the same each time, and nothing at all for the quickest.
    const plain = shown.stdout.replaceAll(/ \d+ms/gu, "").replaceAll(/until .* after/gu, "until … after");
    expect(plain.split("\n").map((line) => line.replaceAll(/ +/gu, " "))).toEqual([
      "account limit spent reserved",
      "flow/spending $1.00 50 calls $0.80 3 calls –",
      "",
      "limit now",
      "tool/map.ask left alone until … after failures",
      "",
    ]);
    const lines = (await cli.run(["limits", "--json", "--under", "flow/"])).stdout.trimEnd().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { account: "flow/spending", limit: { usd: 1, calls: 50 }, reserved: {} },
    ]);
  },
);

test(
  "what is in use in a running engine, who waits by priority and tenant, and what a run waits for can be seen from outside",
  verifies("C17", "X6"),
  async () => {
    const { promise: free, resolve } = Promise.withResolvers<void>();
    const slow = tool({
      name: "page.read",
      does: "Reads a page.",
      input: anything,
      output: anything,
      effect: "read",
      run: () => free,
    });
    const reading = plainFlow("reading", (run) => run.call(slow, {}));
    const tutti = await openTutti({
      flows: [reading],
      ledger: path.join(cli.folder, "l.db"),
      durability: "process",
      limits: { "tenant/acme": { runs: 1 }, "tool/page.read": { concurrentMax: 1 } },
    });
    try {
      const starts = [
        { id: "one", tenant: "acme" },
        { id: "two", tenant: "acme", priority: "high" },
        { id: "three", tenant: "acme" },
        { id: "four" },
      ] as const;
      for (const options of starts) await tutti.start(reading, {}, options);
      const at = ["--ledger", "l.db"];
      const shown = await cli.run(["limits", ...at]);
      expect(shown.stdout.split("\n").map((line) => line.replaceAll(/ +/gu, " "))).toEqual([
        "limit of in use waiting",
        "tenant/acme runs 1 of 1 1 high of acme, 1 normal of acme",
        "tool/page.read calls 1 of 1 1 normal",
        "",
      ]);
      const json = await cli.run(["limits", "--json", "--under", "tool/", ...at]);
      expect(jsonLine(JSON.parse(json.stdout), "")).toMatchObject({ limit: "tool/page.read", inUse: 1 });
      const runs = (await cli.run(["runs", ...at])).stdout;
      expect(runs).toMatch(/two .* tenant\/acme\n/u);
      expect(runs).toMatch(/four .* tool\/page.read\n/u);
      expect(runs).not.toMatch(/one .* t(?:enant|ool)\//u);
      const [newest] = (await cli.run(["runs", "--json", ...at])).stdout.split("\n");
      expect(jsonLine(JSON.parse(newest ?? ""), "")).toMatchObject({ id: "four", waitsFor: ["tool/page.read"] });
      expect((await cli.run(["show", "two", ...at])).stdout).toContain("waits for its turn at tenant/acme");
      expect((await cli.run(["show", "one", ...at])).stdout).not.toContain("waits for its turn");
    } finally {
      resolve();
      await tutti.close();
    }
  },
);

test(
  "a run is started with a priority, and a word that is none is refused before anything runs",
  verifies("C17"),
  async () => {
    const file = path.join(cliFlows, "greeting.ts");
    const refused = await cli.run(["run", file, "--priority", "urgent"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--priority takes: low, normal, high");
    await cli.run(["run", file, "--input", '{"name":"Anna"}', "--id", "r1", "--priority", "high"]);
    expect((await cli.run(["show", "r1", "--entries"])).stdout).toContain("priority=high");
  },
);
