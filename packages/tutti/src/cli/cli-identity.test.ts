import { writeFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { cliFlows, openCliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

test("show and why name who acted, for whom, and what they may", verifies("G1", "G9"), async () => {
  using cli = openCliFolder();
  const config = `export const config = { grants: { "flow/acting": { tools: { "lo*": {} } }, "person/bert": { tools: {} } } };`;
  writeFileSync(path.join(cli.folder, "tutti.config.mjs"), config);
  const file = path.join(cliFlows, "acting.ts");
  expect(await cli.run(["run", file, "--id", "r", "--by", "ann"])).toMatchObject({ code: 0 });
  const shown = (await cli.run(["show", "r"])).stdout;
  expect(shown).toMatch(/Who acted:\n {2}for ann\n {2}agent\/clerk\/v\/[0-9a-f]{12}\n/u);
  expect(shown).toContain("r/flow/acting may call lo*");
  expect(shown).toContain("r/agent/clerk may call look");
  const json: unknown = JSON.parse((await cli.run(["show", "r", "--json"])).stdout);
  expect(json).toMatchObject({ acting: { actsFor: "ann", through: [] } });
  const why = (await cli.run(["why", "r", "/clerk/look"])).stdout;
  expect(why).toContain("It acts for ann.");
  expect(why).toContain("Its grant: r/flow/acting may call lo*.");
  expect(why).toContain("Agent clerk (version ");
  const refused = await cli.run(["run", file, "--id", "s", "--by", "bert"]);
  expect(refused.stderr).toContain("GRANT_EXCEEDED");
  expect(refused.stderr).toContain("s/person/bert may not call look");
});
