import { spawnSync } from "node:child_process";

import { expect, test } from "vitest";

const program = `
import { registerHooks } from "node:module";
const seen = [];
registerHooks({
  resolve(name, context, next) {
    if (!/^(?:node:|[./]|file:|tutti)/.test(name)) seen.push(name);
    return next(name, context);
  },
});
const { codeTool, folderStore, publishFolder, storageTools } = await import("tutti/capabilities");
codeTool();
storageTools(folderStore({ folder: "unused" }));
publishFolder({ folder: "unused" });
process.stdout.write(JSON.stringify(seen));
`;

test("declaring the tools loads none of the packages that they use", () => {
  const args = [
    "--conditions=tutti-source",
    "--disable-warning=ExperimentalWarning",
    "--input-type=module",
    "--eval",
    program,
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
  expect([stdout, stderr]).toEqual(["[]", ""]);
});
