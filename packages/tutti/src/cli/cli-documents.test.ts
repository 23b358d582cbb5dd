import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

const stock = path.join(cliFlows, "stock.ts");

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

test(
  "documents lists them, and tells of one who wrote which version and what it changed",
  verifies("S1", "X6"),
  async () => {
    for (const id of ["first", "second"]) await cli.run(["run", stock, "--id", id, "--quiet"]);
    expect(await cli.run(["documents"])).toMatchObject({ code: 0, stdout: "stock/apples  version 2\n" });
    const { stdout } = await cli.run(["documents", "stock/apples"]);
    expect(stdout.replaceAll(/\d\d:\d\d:\d\d/gu, "00:00:00")).toBe(
      "version 2  00:00:00 UTC  second/change-stock:apples  {left: 8}\n    left: 9 → 8\n" +
        "version 1  00:00:00 UTC  first/change-stock:apples  {left: 9}\n    nothing → {left: 9}\n",
    );
    const json = await cli.run(["documents", "stock/apples", "--limit", "1", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ version: 2, value: { left: 8 }, run: "second" });
  },
);

test("a document that nobody has written is said to be none", verifies("X6"), async () => {
  await cli.run(["run", stock, "--quiet"]);
  const result = await cli.run(["documents", "stock/pears"]);
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toContain('nobody has written a document "stock/pears"');
});
