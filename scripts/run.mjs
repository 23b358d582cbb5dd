// Runs a TypeScript file of the repository on the pinned Node: `node scripts/run.mjs examples/brief/main.ts [arguments]`.
import { existsSync } from "fs";
import path from "path";

import { buildConsole } from "./build-console.mjs";
import { root, runNode, setup } from "./setup.mjs";

const file = process.argv[2];
if (file === undefined || !existsSync(path.resolve(root, file))) {
  process.stderr.write(
    file === undefined ? "Name the file to run.\n" : "There is no " + file + " in this repository.\n",
  );
  process.exit(2);
}
setup();
// Of all that is run here only the command line serves it.
if (path.basename(file) === "tutti.mjs" && /^(dev|serve)$/.test(process.argv[3] || "")) buildConsole();

const flags = ["--conditions=tutti-source", "--disable-warning=ExperimentalWarning"];
void runNode(flags.concat(path.resolve(root, file), process.argv.slice(3))).then((code) => process.exit(code));
