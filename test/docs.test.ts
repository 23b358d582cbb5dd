import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { errorCodes } from "../packages/tutti/src/base/error-codes.ts";
import { toErrorsPage } from "./docs/errors-page.ts";
import { openExampleFolder } from "./docs/example-folder.ts";
import { findPrograms, isTypeScript, readFences, type Fence, type Program } from "./docs/fences.ts";
import { readRepository, root } from "./tidy/repository.ts";
import { isTest, type TidyFile } from "./tidy/source.ts";
import { verifies } from "./verifies.ts";

const documents = ["README.md", "ARCHITECTURE.md", "STYLE.md", ...docsIn("docs"), "packages/tutti/README.md"];
const fences = documents.flatMap((file) => readFences(file, read(file)));
const programs = findPrograms(fences);
const folder = openExampleFolder(fences.filter(isTypeScript));
afterAll(() => folder[Symbol.dispose]());

describe("examples", () => {
  test("every example in the documents compiles, its types inferred", verifies("X2"), () => {
    expect(fences.filter(isTypeScript).length).toBeGreaterThan(15);
    expect(folder.check()).toEqual([]);
  });

  test("the program in the README runs as it stands: no key, no account, no container", verifies("X1"), async () => {
    const first = programs.find((program) => program.fence.path === "README.md");
    expect(first?.fence.code.match(/from "(?<name>.+)"/g)).toEqual([`from "tutti"`, `from "zod"`]);
    expect(await findFault(first)).toBeUndefined();
  });

  test.each(programs.map((program): [string, Program] => [toPlace(program.fence), program]))(
    "%s is a program that runs, and prints what the document says",
    async (_place, program) => {
      expect(await findFault(program)).toBeUndefined();
    },
  );

  test("an example that does not compile is reported with its document and its line", () => {
    const planted = readFences(
      "docs/planted.md",
      "Text.\n\n```ts\nexport const a = 1;\nexport const b: string = a;\n```\n",
    );
    using plantedFolder = openExampleFolder(planted);
    expect(plantedFolder.check()).toEqual([expect.stringMatching(/^docs\/planted\.md:5: error TS2322: /)]);
  });

  test("a program that fails, or prints something else, is reported", async () => {
    const text =
      "```ts\nconst openTutti = async (): Promise<string> => `as told`;\nconsole.log(await openTutti());\n```\n";
    const prints = (line: string): string => `${text}\`\`\`text prints\n${line}\n\`\`\`\n`;
    const planted = ["as told", "another thing"].flatMap((line, at) => readFences(`docs/${at}.md`, prints(line)));
    const failing = readFences("docs/2.md", text.replace("as told", "${process.exit(3)}"));
    using plantedFolder = openExampleFolder([...planted, ...failing].filter(isTypeScript));
    const faults = findPrograms([...planted, ...failing]).map((program) => findFault(program, plantedFolder));
    expect(await Promise.all(faults)).toEqual([
      undefined,
      expect.stringContaining("docs/1.md:2 prints"),
      expect.stringContaining("docs/2.md:2 ended with 3"),
    ]);
  });
});

describe("names of files", () => {
  test("every file that a document names is there", () => {
    const missing = documents.flatMap((file) =>
      linksIn(file).filter((link) => !existsSync(path.resolve(root, path.dirname(file), link))),
    );
    expect(missing).toEqual([]);
  });

  test("every file that the architecture mentions is there", () => {
    const named = [...read("ARCHITECTURE.md").matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)].map((match) => match[1] ?? "");
    expect(named.length).toBeGreaterThan(30);
    const places = [root, path.join(root, "packages/tutti/src")];
    expect(named.filter((file) => !places.some((place) => existsSync(path.join(place, file))))).toEqual([]);
  });
});

describe("errors", () => {
  test(
    "the page of errors says of every code what it means, what follows, and whether an effect happened",
    verifies("K4"),
    () => {
      const page = read("docs/errors.md");
      const rows = Object.entries(errorCodes).filter(
        ([code, { means, disposition, effect }]) =>
          means === "" || !page.includes(`| \`${code}\` | ${means} | ${disposition} | ${effect} |`),
      );
      expect(rows).toEqual([]);
    },
  );

  test("the page of errors is the one that its generator makes", () => {
    expect(read("docs/errors.md")).toBe(toErrorsPage());
  });

  test("every code is used, by Tutti or by the tools that the documents show", () => {
    expect(findUnused(Object.keys(errorCodes), readRepository())).toEqual([]);
  });

  test("a code that nothing uses is found", () => {
    const table: TidyFile = { path: "packages/tutti/src/base/error-codes.ts", text: `USED: code("UNUSED")` };
    const tests: TidyFile = { path: "packages/tutti/src/flow/a.test.ts", text: `"UNUSED"` };
    const code: TidyFile = { path: "packages/tutti/src/flow/a.ts", text: `throw new TuttiError("USED", "…");` };
    expect(findUnused(["USED", "UNUSED"], [table, tests, code])).toEqual(["UNUSED"]);
  });
});

/** Codes that Tutti understands and only a tool can throw: `docs/effects.md` shows how. */
const thrownByTools: ReadonlySet<string> = new Set(["TOOL_FAILED", "TOOL_UNAVAILABLE"]);

function findUnused(codes: readonly string[], files: readonly TidyFile[]): string[] {
  const source = files.filter(
    (file) => /^packages\/[^/]+\/src\/(?!testing\/|base\/error-codes\.ts)/.test(file.path) && !isTest(file),
  );
  const shown = fences.filter((fence) => fence.path === "docs/effects.md").map((fence) => fence.code);
  return codes.filter((code) => {
    const texts = thrownByTools.has(code) ? shown : source.map((file) => file.text);
    return !texts.some((text) => text.includes(`"${code}"`));
  });
}

/** What is wrong with a program, said with its document and line. */
async function findFault(program: Program | undefined, from = folder): Promise<string | undefined> {
  if (program === undefined) return "there is no such program";
  const { code, stdout, stderr } = await from.run(program.fence);
  if (code !== 0) return `${toPlace(program.fence)} ended with ${code}:\n${stdout}${stderr}`;
  if (program.prints === undefined || stdout === program.prints) return undefined;
  return `${toPlace(program.fence)} prints\n${stdout}and the document says\n${program.prints}`;
}

function toPlace(fence: Fence): string {
  return `${fence.path}:${fence.line}`;
}

/** Links to files, without addresses and places in a page. */
function linksIn(file: string): string[] {
  const prose = read(file).replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => match[1] ?? "");
}

function docsIn(place: string): string[] {
  return readdirSync(path.join(root, place))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${place}/${name}`);
}

function read(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}
