import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { root } from "../tidy/repository.ts";
import type { Fence } from "./fences.ts";

/** What a program did that was run. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The code of documents as files: each one module, with its code on the very lines on which the document has it. */
export interface ExampleFolder {
  /** Compiles all of them at once; returns what the compiler says, with the documents' names and lines. */
  check(): string[];
  /** Runs one in a process and an empty folder of its own. */
  run(fence: Fence): Promise<ProgramEnd>;
  [Symbol.dispose](): void;
}

const timeoutMs = 60_000;

/** Outside the repository, because Node runs no TypeScript below `node_modules`; packages are found through a link. */
export function openExampleFolder(fences: readonly Fence[]): ExampleFolder {
  const folder = mkdtempSync(path.join(tmpdir(), "tutti-docs-"));
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "package.json"), `{ "type": "module" }`);
  const config = { extends: path.join(root, "tsconfig.json"), include: ["*.ts"], exclude: [] };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
  for (const fence of fences)
    writeFileSync(path.join(folder, toFileName(fence)), "\n".repeat(fence.line - 1) + fence.code);

  return {
    check() {
      const compiler = path.join(root, "node_modules/typescript/bin/tsc");
      const args = [compiler, "-p", folder, "--pretty", "false"];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
      const said = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
      if (status !== 0 && said.length === 0) return [`the compiler ended with ${status}`];
      return said.map((line) => toDocumentLine(line, fences));
    },
    run: (fence) => run(path.join(folder, toFileName(fence)), mkdtempSync(path.join(folder, "run-"))),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function toFileName({ path: document, line }: Fence): string {
  return `${document.replaceAll("/", "--")}.${line}.ts`;
}

/** `docs--flows.md.12.ts(14,3): error …` becomes `docs/flows.md:14: error …`. */
function toDocumentLine(said: string, fences: readonly Fence[]): string {
  const match = /^(\S+)\((\d+),\d+\): (.*)$/.exec(said);
  const fence = fences.find((each) => toFileName(each) === match?.[1]);
  return fence === undefined || match === null ? said : `${fence.path}:${match[2]}: ${match[3]}`;
}

function run(file: string, folder: string): Promise<ProgramEnd> {
  const flags = ["--conditions=tutti-source", "--disable-warning=ExperimentalWarning"];
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, NO_COLOR: "1" };
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env, timeout: timeoutMs, killSignal: "SIGKILL" } as const;
    const child = spawn(process.execPath, [...flags, file], { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
