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
if (servesConsole(process.argv.slice(3))) buildConsole();

const flags = ["--conditions=tutti-source", "--disable-warning=ExperimentalWarning"];
void runNode(flags.concat(path.resolve(root, file), process.argv.slice(3))).then((code) => process.exit(code));

/**
 * Two programs serve it: the command line, and the brief where somebody is there to look.
 * @param {string[]} words
 */
function servesConsole(words) {
  if (file === undefined) return false;
  if (path.basename(file) === "tutti.mjs") return /^(dev|serve)$/.test(words[0] || "");
  if (file !== "examples/brief/main.ts" || words.includes("--crash") || words.includes("--json")) return false;
  return (
    words.includes("--stay") ||
    words.includes("--approve") ||
    (!process.env["CI"] && process.stdin.isTTY && process.stderr.isTTY)
  );
}
