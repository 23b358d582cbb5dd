import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";

import { TuttiError } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import type { Model } from "../contracts/model.ts";
import type { Flow } from "../contracts/run.ts";
import { toUsage } from "./command-line.ts";
import { importFile } from "./import-file.ts";

/** What a file of flows offers to an engine. */
export interface FlowFile {
  readonly path: string;
  readonly flows: readonly Flow[];
  readonly tools: readonly Tool[];
  readonly models: Readonly<Record<string, Model>>;
}

/**
 * Loads a TypeScript or JavaScript file and finds what it exports, by shape: flows under any name, also as default or in a list;
 * `models` by tier; `tools`.
 * @throws TuttiError FLOW_FILE_INVALID, saying where and what
 */
export async function loadFlows(path: string): Promise<FlowFile> {
  const file = resolve(path);
  if (!existsSync(file))
    throw toInvalid(path, "does not exist", {
      hint: "Name the file that exports the flow, for example: tutti run flows/brief.ts",
    });
  if (!statSync(file).isFile())
    throw toInvalid(path, "is not a file", { hint: "Name the file that exports the flow." });
  if (!/\.[cm]?[jt]s$/u.test(file))
    throw toInvalid(path, "is neither TypeScript nor JavaScript", {
      hint: "Flows live in .ts, .mts, .js or .mjs files.",
    });
  const exported = await importFile(file, { path, code: "FLOW_FILE_INVALID" });
  const flows = findFlows(exported);
  if (flows.length === 0) {
    const names = Object.keys(exported).join(", ");
    throw toInvalid(path, "exports no flow", {
      hint: `Export what flow({ … }) returns: export const brief = flow({ … }). It exports: ${names === "" ? "nothing" : names}.`,
    });
  }
  refuseTwins(flows, path);
  return { path, flows, tools: listOf(exported["tools"]).filter(isTool), models: findModels(exported["models"]) };
}

/**
 * The flow that was named, or the only one. Of several versions the highest.
 * @throws TuttiError USAGE
 */
export function chooseFlow(file: FlowFile, named: string | undefined): Flow {
  const [name, version] = (named ?? "").split("@");
  const wanted = file.flows.filter(
    (flow) => (named === undefined || flow.name === name) && (version === undefined || flow.version === version),
  );
  const names = [...new Set(file.flows.map((flow) => flow.name))];
  if (wanted.length === 0)
    throw toUsage(`${file.path} exports no flow "${named ?? ""}"`, `It exports: ${names.join(", ")}`);
  if (named === undefined && names.length > 1)
    throw toUsage(
      `${file.path} exports ${names.length} flows`,
      `Name one of them: tutti run ${file.path} ${names.join("|")}`,
    );
  const [newest] = wanted.toSorted((left, right) => right.version.localeCompare(left.version, "en", { numeric: true }));
  if (newest === undefined) throw toUsage(`${file.path} exports no flow`, "tutti help run");
  return newest;
}

function findFlows(exported: Readonly<Record<string, unknown>>): readonly Flow[] {
  const flows = Object.values(exported).flatMap((value) => (isFlow(value) ? [value] : listOf(value).filter(isFlow)));
  return [...new Set(flows)];
}

function refuseTwins(flows: readonly Flow[], path: string): void {
  const seen = new Set<string>();
  for (const { name, version } of flows) {
    const key = `${name}@${version}`;
    if (seen.has(key))
      throw toInvalid(path, `exports two flows named ${name} in version ${version}`, {
        hint: "Give one of them another name, or another version.",
      });
    seen.add(key);
  }
}

function findModels(value: unknown): Readonly<Record<string, Model>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).flatMap(([tier, model]) => (isModel(model) ? [[tier, model]] : [])));
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}

function isFlow(value: unknown): value is Flow {
  return (
    isNamed(value, "flow") && "input" in value && "output" in value && "run" in value && typeof value.run === "function"
  );
}

export function isTool(value: unknown): value is Tool {
  return isNamed(value, "tool") && "effect" in value && "run" in value && typeof value.run === "function";
}

export function isModel(value: unknown): value is Model {
  return typeof value === "object" && value !== null && "generate" in value && typeof value.generate === "function";
}

function isNamed(value: unknown, kind: string): value is { readonly kind: string; readonly name: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    value.kind === kind &&
    "name" in value &&
    typeof value.name === "string"
  );
}

function toInvalid(path: string, what: string, details: { readonly hint: string }): TuttiError {
  return new TuttiError("FLOW_FILE_INVALID", `${path} ${what}`, details);
}
