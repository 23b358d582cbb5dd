import { statSync } from "node:fs";

import { describeThrown, isTuttiError, TuttiError } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import type { ToolServer } from "../contracts/tool-server.ts";
import type { TuttiConfig } from "../engine/tutti.ts";
import { loadConfig } from "./load-config.ts";
import { loadFlows, type FlowFile } from "./load-flows.ts";
import { toToolFlows } from "./tool-flow.ts";

/** The tools of a project. */
export interface Project extends FlowFile {
  /** The configuration's file; `undefined` where the tools are the built-in ones. */
  readonly configPath: string | undefined;
  /** Servers that could not be reached, and why. */
  readonly skipped: readonly SkippedServer[];
  /** Ends the conversations with its servers. */
  close(): Promise<void>;
}

export interface SkippedServer {
  readonly name: string;
  readonly why: TuttiError;
}

export interface ProjectWanted {
  readonly folder: string;
  /** When one tool is meant, only the server that it can be of is reached, and has to be there. */
  readonly tool?: string | undefined;
}

/**
 * The tools that a project's configuration names, and those of its servers. Where it names none, the built-in ones.
 * @throws TuttiError CONFIG_INVALID, and what reaching the server of the wanted tool throws
 */
export async function loadProject({ folder, tool }: ProjectWanted): Promise<Project> {
  const { path, config } = await loadConfig(folder);
  const isConfigured = config.tools !== undefined || config.servers !== undefined;
  const servers = config.servers ?? [];
  const close = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.close())));
  try {
    const own = isConfigured ? (config.tools ?? []) : await loadBuiltIn();
    const opened = await openServers(servers, tool);
    const tools = [...own, ...opened.tools];
    refuseTwins(tools, path);
    return {
      path: folder,
      flows: [],
      tools,
      agents: [],
      models: {},
      toolFlows: toToolFlows(tools),
      protection: {},
      configPath: isConfigured ? path : undefined,
      skipped: opened.skipped,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A file of flows; or a folder, which stands for the tools of its project. */
export function loadFlowsOrProject(path: string): Promise<FlowFile> {
  return isFolder(path) ? loadProject({ folder: path }) : loadFlows(path);
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

async function loadBuiltIn(): Promise<readonly Tool[]> {
  const { builtInTools } = await import("../tools/built-in-tools.ts");
  return builtInTools();
}

interface Opened {
  readonly tools: readonly Tool[];
  readonly skipped: readonly SkippedServer[];
}

async function openServers(servers: NonNullable<TuttiConfig["servers"]>, wanted: string | undefined): Promise<Opened> {
  if (wanted !== undefined) {
    const meant = servers.filter(({ name }) => wanted.startsWith(`${name}.`));
    const opened = await Promise.all(meant.map((server) => server.open()));
    return { tools: opened.flatMap(({ tools }) => tools), skipped: [] };
  }
  const opened = await Promise.all(servers.map(openOrSkip));
  return { tools: opened.flatMap(({ tools }) => tools), skipped: opened.flatMap(({ skipped }) => skipped) };
}

// What one server does is no reason to hide the tools of the others; whoever calls one of its tools meets the error itself.
async function openOrSkip(server: ToolServer): Promise<Opened> {
  try {
    const { tools } = await server.open();
    return { tools, skipped: [] };
  } catch (error) {
    if (isTuttiError(error)) return { tools: [], skipped: [{ name: server.name, why: error }] };
    throw new TuttiError("CONFIG_INVALID", `the server ${server.name} can't be opened: ${describeThrown(error)}`, {
      cause: error,
    });
  }
}

function refuseTwins(tools: readonly Tool[], path: string | undefined): void {
  const names = new Set<string>();
  for (const { name } of tools) {
    if (names.has(name))
      throw new TuttiError("CONFIG_INVALID", `${path ?? "the project"} has two tools named ${name}`, {
        hint: "Give one of them another name, or leave one out.",
      });
    names.add(name);
  }
}
