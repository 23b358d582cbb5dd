import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";

import { TuttiError } from "../base/errors.ts";
import type { Budget } from "../contracts/budget.ts";
import type { Tool } from "../contracts/callable.ts";
import type { Model } from "../contracts/model.ts";
import type { Agent, Flow } from "../contracts/run.ts";
import type { TuttiOptions } from "../engine/tutti.ts";
import type { Limits } from "../limits/limit.ts";
import { toUsage } from "./command-line.ts";
import { importFile } from "./import-file.ts";
import { toToolFlows } from "./tool-flow.ts";

/** What a file of flows, or a project, offers to an engine. */
export interface FlowFile {
  /** As it was named; of a project its folder. */
  readonly path: string;
  readonly flows: readonly Flow[];
  /** Those of its agents too. */
  readonly tools: readonly Tool[];
  readonly agents: readonly Agent[];
  readonly models: Readonly<Record<string, Model>>;
  /** For each tool a flow that calls it and does nothing else. */
  readonly toolFlows: readonly Flow[];
  /** Checked by the engine. */
  readonly protection: Pick<TuttiOptions, "limits" | "budgets">;
}

/**
 * Loads a TypeScript or JavaScript file and finds what it exports, by shape: flows, tools and agents under any name, also as default, in a
 * list or in an object; `models` by tier.
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
  const flows = find(exported, isFlow);
  const agents = find(exported, isAgent);
  const tools = [...new Set([...find(exported, isTool), ...agents.flatMap((agent) => agent.tools)])];
  if (flows.length === 0 && tools.length === 0) {
    const names = Object.keys(exported).join(", ");
    throw toInvalid(path, "exports no flow and no tool", {
      hint: `Export what flow({ … }) returns: export const brief = flow({ … }). It exports: ${names === "" ? "nothing" : names}.`,
    });
  }
  refuseTwins(flows, path);
  const toolFlows = toToolFlows(tools);
  const protection = findProtection(exported);
  return { path, flows, tools, agents, models: findModels(exported["models"]), toolFlows, protection };
}

/**
 * The flow that was named, or the only one. Of several versions the highest.
 * @throws TuttiError USAGE, FLOW_FILE_INVALID when there is none at all
 */
export function chooseFlow(file: FlowFile, named: string | undefined): Flow {
  if (file.flows.length === 0) {
    throw toInvalid(file.path, "exports no flow, only tools", {
      hint: `Call one of them: tutti tool call ${file.path} ${file.tools.map((tool) => tool.name).join("|")}`,
    });
  }
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

function find<Kind>(exported: Readonly<Record<string, unknown>>, isKind: (value: unknown) => value is Kind): Kind[] {
  const found = Object.values(exported).flatMap((value) => (isKind(value) ? [value] : listOf(value).filter(isKind)));
  return [...new Set(found)];
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

function findProtection({ limits, budgets }: Readonly<Record<string, unknown>>): FlowFile["protection"] {
  return { ...(isTable<Limits>(limits) ? { limits } : {}), ...(isTable<Budget>(budgets) ? { budgets } : {}) };
}

function isTable<Value>(value: unknown): value is Readonly<Record<string, Value>> {
  return typeof value === "object" && value !== null;
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

function isAgent(value: unknown): value is Agent {
  return isNamed(value, "agent") && "tools" in value && Array.isArray(value.tools) && value.tools.every(isTool);
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
