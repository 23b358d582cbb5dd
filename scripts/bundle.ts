import { readdirSync } from "node:fs";
import path from "node:path";

import { rolldown, type OutputOptions } from "rolldown";

const source = path.join(import.meta.dirname, "..", "packages", "tutti", "src");

/** What a program loads that declares flows, tools and agents; and what it loads besides when it opens an engine on a file. */
const loadedTogether = {
  core: ["index.ts"],
  engine: ["engine/open-tutti.ts", "ledger/personal/open-personal-ledger.ts"],
} as const;

/** Run in a thread of its own, so it stays a file; it is looked for beside the chunk that starts it. */
const workers = { "chunks/quickjs-worker": "tools/code/quickjs-worker.ts" } as const;

/**
 * Writes the JavaScript that is published: each public entry, and behind it as few files as its users load together, because finding and
 * linking hundreds of modules takes longer than all that they do at a start (decisions/037-bundle.md). Readable, not minified.
 */
export async function bundle(target: string): Promise<void> {
  const build = await rolldown({
    input: { ...findEntries(), ...toPaths(workers) },
    platform: "node",
    external: (id) => !id.startsWith(".") && !path.isAbsolute(id),
    plugins: [{ name: "parts of Node", renderChunk: (code) => askForParts(code) }],
    onLog(level, log) {
      if (level === "warn") throw new Error(log.message); // what is published has no warnings that nobody reads
    },
  });
  try {
    await build.write({
      dir: target,
      entryFileNames: "[name].js",
      chunkFileNames: "chunks/[name].js",
      minifyInternalExports: false,
      codeSplitting: { groups: toGroups() },
    });
  } finally {
    await build.close();
  }
}

/**
 * To import a part of Node evaluates everything that it exports, other parts that nobody asked for among them: a quarter of the time in which
 * the core is loaded. Asked for by its name it gives what is used. All versions of Node that Tutti runs on can.
 */
function askForParts(code: string): string {
  return code
    .replaceAll(/^import \{([^}]*)\} from ("node:[^"]+");$/gmu, (_, names: string, part: string) => {
      return `const {${names.replaceAll(" as ", ": ")}} = process.getBuiltinModule(${part});`;
    })
    .replaceAll(/^import (\w+) from ("node:[^"]+");$/gmu, "const $1 = process.getBuiltinModule($2);");
}

function findEntries(): Readonly<Record<string, string>> {
  const names = readdirSync(source).filter((name) => name.endsWith(".ts") && !name.includes(".test"));
  return toPaths(Object.fromEntries(names.map((name) => [path.basename(name, ".ts"), name])));
}

function toPaths(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, path.join(source, file)]));
}

type Groups = NonNullable<Exclude<OutputOptions["codeSplitting"], boolean | undefined>["groups"]>;
type NameOf = Extract<Groups[number]["name"], (...args: never) => unknown>;
type Graph = Parameters<NameOf>[1];

/** Modules by the chunk that they belong to: the first that needs them, dynamic imports aside. */
function toGroups(): Groups {
  let chunkByModule: Map<string, string> | undefined;
  const name: NameOf = (id, graph) => {
    chunkByModule ??= assignChunks(graph);
    return chunkByModule.get(id) ?? null;
  };
  return [{ name, debugName: "loaded together" }];
}

function assignChunks(graph: Graph): Map<string, string> {
  const chunkByModule = new Map<string, string>();
  for (const [chunk, roots] of Object.entries(loadedTogether)) {
    const open = roots.map((root) => path.join(source, root));
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const known = graph.getModuleInfo(id);
      if (known === null || chunkByModule.has(id)) continue;
      chunkByModule.set(id, chunk);
      open.push(...known.importedIds);
    }
  }
  return chunkByModule;
}

const [target] = process.argv.slice(2);
if (import.meta.main && target !== undefined) await bundle(path.resolve(target));
