// What a user's program does with the published package: `node program.mjs <its dist folder>`. Prints one line of JSON.
import { mkdtempSync, rmSync } from "node:fs";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const dist = path.resolve(process.argv[2] ?? "");
let files = 0;
registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) files++;
    return next(url, context);
  },
});

/** @param {string} file */
const load = (file) => import(pathToFileURL(path.join(dist, file)).href);
const { flow, openTutti } = await load("index.js");
const toImport = files;
const { codeTool, toPng } = await load("capabilities.js");

const folder = mkdtempSync(path.join(tmpdir(), "tutti-published-"));
const anything = {
  "~standard": { version: 1, vendor: "program", validate: (/** @type {unknown} */ value) => ({ value }) },
};
const counts = flow({
  name: "counts",
  input: anything,
  output: anything,
  async run(/** @type {any} */ run, /** @type {number} */ from) {
    const one = await run.step("one", () => from + 1);
    const { result } = await run.call(codeTool(), { code: "return input + 1", input: one });
    return result;
  },
});
const wanders = flow({
  name: "wanders",
  input: anything,
  output: anything,
  async run(/** @type {any} */ run) {
    await new Promise((resolve) => setTimeout(resolve, 1)); // nothing that a ledger knows
    return run.step("late", () => 1);
  },
});
const loaded = files;
const tutti = await openTutti({ flows: [counts, wanders], ledger: path.join(folder, "ledger.db") });
const toOpen = files - loaded;
const result = await tutti.run(counts, 40);
const astray = await tutti.run(wanders, null).catch((/** @type {Error} */ error) => error.message);
await tutti.close();
const png = await toPng('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><text y="8">a</text></svg>');
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify({ result, astray, png: png.length, toImport, toOpen })}\n`);
