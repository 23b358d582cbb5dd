import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

import { toTuttiError, TuttiError } from "../../base/errors.ts";
import type { Callable, Flow } from "../../contracts/run.ts";
import { loadConfig } from "../load-config.ts";
import { loadFlows } from "../load-flows.ts";
import { isFolder } from "../load-project.ts";
import { readDeclarations } from "./declarations.ts";
import { readFlowCode } from "./flow-code.ts";
import type { Project } from "./project.ts";
import { onlyDeclares, parseSource, type SourceFile } from "./source-file.ts";

const filesMax = 1_000;
const fileBytesMax = 1_000_000;

/** A project, and what of it could not be looked at. */
export interface ReadProject extends Project {
  /** What was named, and where its ledger is looked for. */
  readonly folder: string;
  /** Flows as the files made them. */
  readonly loadedFlows: readonly Flow[];
  /** What was not read or not loaded, and why: one sentence each. */
  readonly remarks: readonly string[];
}

/**
 * Reads a file, or all code of a folder but its tests. Files that only declare are loaded too, as `tutti run` does: so what is computed is
 * known as well.
 * @throws TuttiError SOURCE_UNREADABLE, CONFIG_INVALID
 */
export async function readProject(named: string): Promise<ReadProject> {
  const place = resolve(named);
  if (statSync(place, { throwIfNoEntry: false }) === undefined)
    throw new TuttiError("SOURCE_UNREADABLE", `${named} does not exist`, {
      hint: "Name a file of flows or a project's folder: tutti doctor flows/",
    });
  const isWhole = isFolder(place);
  const folder = isWhole ? place : dirname(place);
  const remarks: string[] = [];
  const files = readFiles(isWhole ? listCode(place, remarks) : [place], remarks);
  const { config } = await loadConfig(place);
  const { callables, hasBudgets } = await loadAll(files, remarks);
  const project = toProject(files, {
    isWhole,
    hasBudgets: config.budgets !== undefined || hasBudgets,
    hasPolicy: config.policy !== undefined,
    callables,
  });
  return { ...project, folder, loadedFlows: callables.filter((each) => each.kind === "flow"), remarks };
}

/** What the rules look at, of files that were parsed and callables that were loaded from them. */
export function toProject(
  files: readonly SourceFile[],
  {
    callables,
    ...known
  }: Pick<Project, "isWhole" | "hasBudgets" | "hasPolicy"> & { readonly callables: readonly Callable[] },
): Project {
  const declared = files.flatMap((file) => readDeclarations(file, callables));
  return { ...known, files, declared, flows: declared.filter(({ kind }) => kind === "flow").map(readFlowCode) };
}

const passedOver = /^(?:\..*|node_modules|dist|build|coverage|out|test|tests|__tests__|fixtures)$/u;
const isCode = /\.[cm]?[jt]s$/u;
const isTest = /\.(?:test|spec|bench|test-d|d)\.[cm]?[jt]s$/u;

function listCode(folder: string, remarks: string[]): readonly string[] {
  const found: string[] = [];
  const folders = [folder];
  for (let next = folders.shift(); next !== undefined && found.length < filesMax; next = folders.shift()) {
    for (const entry of readdirSync(next, { withFileTypes: true }).toSorted((a, b) =>
      a.name.localeCompare(b.name, "en"),
    )) {
      if (entry.isDirectory() && !passedOver.test(entry.name)) folders.push(join(next, entry.name));
      if (entry.isFile() && isCode.test(entry.name) && !isTest.test(entry.name)) found.push(join(next, entry.name));
    }
  }
  if (found.length >= filesMax) remarks.push(`only the first ${filesMax} files were read`);
  return found.slice(0, filesMax);
}

function readFiles(paths: readonly string[], remarks: string[]): readonly SourceFile[] {
  return paths.flatMap((path) => {
    const shown = relative(process.cwd(), path);
    try {
      if (statSync(path).size <= fileBytesMax) return [parseSource(shown, readFileSync(path, "utf8"))];
      remarks.push(`${shown} is larger than 1 MB and was not read`);
      return [];
    } catch (error) {
      remarks.push(toTuttiError(error, "BUG").message);
      return [];
    }
  });
}

interface LoadedFiles {
  readonly callables: readonly Callable[];
  readonly hasBudgets: boolean;
}

/** Loads what exports callables and does nothing else. What can't be loaded is judged by its text alone. */
async function loadAll(files: readonly SourceFile[], remarks: string[]): Promise<LoadedFiles> {
  const callables = new Set<Callable>();
  let hasBudgets = false;
  for (const file of files) {
    if (isConfig(file.path) || !readDeclarations(file, []).some(({ isTop }) => isTop)) continue;
    if (!onlyDeclares(file)) {
      remarks.push(`${file.path} does something when it is loaded, so only its text was read`);
      continue;
    }
    try {
      const { flows, agents, tools, protection } = await loadFlows(file.path);
      for (const callable of [...flows, ...agents, ...tools]) callables.add(callable);
      hasBudgets ||= protection.budgets !== undefined;
    } catch (error) {
      const { cause, message } = toTuttiError(error, "BUG");
      // Without a cause the file itself is sound, and exports nothing that there is more to know of.
      if (cause !== undefined) remarks.push(`only the text of ${file.path} was read: ${message}`);
    }
  }
  return { callables: [...callables], hasBudgets };
}

function isConfig(path: string): boolean {
  return basename(path).startsWith("tutti.config.");
}
