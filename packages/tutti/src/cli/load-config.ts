import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import { TuttiError } from "../base/errors.ts";
import type { ToolServer } from "../contracts/tool-server.ts";
import type { TuttiConfig } from "../engine/tutti.ts";
import { importFile } from "./import-file.ts";
import { isModel, isTool } from "./load-flows.ts";

const fileNames = ["tutti.config.ts", "tutti.config.mts", "tutti.config.js", "tutti.config.mjs"];

/** What is wrong with a part of a configuration, and what to do; `undefined` when it is right. */
type Check = (value: unknown) => { readonly what: string; readonly hint: string } | undefined;

const checks: Readonly<Record<keyof TuttiConfig, Check>> = {
  models: (value) => {
    if (!isRecord(value)) return { what: "models is no map", hint: "models: { fast: …, deep: … }" };
    const wrong = Object.entries(value).find(([, model]) => !isModel(model));
    if (wrong === undefined) return undefined;
    return {
      what: `models.${wrong[0]} is no model`,
      hint: 'A model of an AI SDK provider is given as fromAiSdk(openai("gpt-5-mini")).',
    };
  },
  tools: (value) =>
    Array.isArray(value) && value.every(isTool)
      ? undefined
      : { what: "tools is no list of tools", hint: "tools: [publish, …], each made with tool({ … })." },
  servers: (value) =>
    Array.isArray(value) && value.every(isToolServer)
      ? undefined
      : { what: "servers is no list of servers of tools", hint: 'servers: [mcpServer({ … }), …], from "tutti/mcp".' },
  // What is in them is checked by the engine.
  limits: (value) =>
    isRecord(value)
      ? undefined
      : { what: "limits is no map", hint: 'limits: { "tool/web.search": { concurrentMax: 4 } }' },
  policy: (value) =>
    isRecord(value) && typeof value["decide"] === "function"
      ? undefined
      : { what: "policy is no policy", hint: "See docs/approvals.md." },
  people: (value) =>
    Array.isArray(value) && value.every(isPerson)
      ? undefined
      : { what: "people is no list of people", hint: 'people: [{ name: "ann", roles: ["finance"] }]' },
  approvals: (value) =>
    isRecord(value) && Object.values(value).every((ladder) => Array.isArray(ladder) && ladder.every(isRecord))
      ? undefined
      : { what: "approvals is no map of ladders", hint: 'approvals: { "tool/pay": [{ role: "finance" }] }' },
  grants: (value) => (isRecord(value) ? undefined : { what: "grants is no map", hint: "See docs/identity.md." }),
  identity: (value) => (isRecord(value) ? undefined : { what: "identity is no map", hint: "See docs/identity.md." }),
  budgets: (value) => (isRecord(value) ? undefined : { what: "budgets is no map", hint: "See docs/limits.md." }),
  telemetry: (value) =>
    isRecord(value)
      ? undefined
      : { what: "telemetry is no map", hint: 'telemetry: { otlp: { url: "http://…:4318" } }' },
};

/** What the project says, and the file that says it. */
export interface LoadedConfig {
  /** Relative to this folder; `undefined` where nothing is configured. */
  readonly path: string | undefined;
  readonly config: TuttiConfig;
}

/**
 * The configuration of a project: `tutti.config.ts` next to the flows (or in the folder that is given) or in a folder above them, up to the
 * one with package.json; else the same from the working directory. Without one, nothing is configured.
 * @throws TuttiError CONFIG_INVALID
 */
export async function loadConfig(place: string): Promise<LoadedConfig> {
  const file = findConfig(toFolder(resolve(place))) ?? findConfig(process.cwd());
  if (file === undefined) return { path: undefined, config: {} };
  const path = relative(process.cwd(), file);
  const exported = await importFile(file, { path, code: "CONFIG_INVALID" });
  return { path, config: checkConfig(exported, path) };
}

/** Who people are and what the policy lets them do: for commands that take their words where no engine runs. @throws TuttiError CONFIG_INVALID */
export async function loadDeciders(): Promise<Pick<TuttiConfig, "people" | "policy">> {
  const { people, policy } = (await loadConfig(".")).config;
  return { ...(people && { people }), ...(policy && { policy }) };
}

function toFolder(place: string): string {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true ? place : dirname(place);
}

function findConfig(folder: string): string | undefined {
  const folders = [folder];
  while (!existsSync(join(folder, "package.json"))) {
    const above = dirname(folder);
    // Outside any package, what lies in the folders above is nobody's.
    if (above === folder) return findIn(folders.slice(0, 1));
    folder = above;
    folders.push(folder);
  }
  return findIn(folders);
}

function findIn(folders: readonly string[]): string | undefined {
  return folders.flatMap((each) => fileNames.map((name) => join(each, name))).find((file) => existsSync(file));
}

function checkConfig(exported: Readonly<Record<string, unknown>>, path: string): TuttiConfig {
  const config = exported["config"];
  if (!isRecord(config)) {
    const names = Object.keys(exported).join(", ");
    throw toInvalid(
      `${path} exports no config`,
      `export const config: TuttiConfig = { models: { … } }. It exports: ${names === "" ? "nothing" : names}.`,
    );
  }
  for (const [name, value] of Object.entries(config)) {
    if (!isPart(name))
      throw toInvalid(`${path}: there is no setting ${name}`, `There are: ${Object.keys(checks).join(", ")}.`);
    const problem = value === undefined ? undefined : checks[name](value);
    if (problem !== undefined) throw toInvalid(`${path}: ${problem.what}`, problem.hint);
  }
  return config;
}

function isPart(name: string): name is keyof TuttiConfig {
  return Object.hasOwn(checks, name);
}

function isToolServer(value: unknown): value is ToolServer {
  return (
    isRecord(value) &&
    typeof value["name"] === "string" &&
    typeof value["open"] === "function" &&
    typeof value["close"] === "function"
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toInvalid(what: string, hint: string): TuttiError {
  return new TuttiError("CONFIG_INVALID", what, { hint });
}

function isPerson(value: unknown): boolean {
  if (!isRecord(value) || typeof value["name"] !== "string") return false;
  const { roles } = value;
  return Array.isArray(roles) && roles.every((role) => typeof role === "string");
}
