import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

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
