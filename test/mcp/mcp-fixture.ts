import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { onTestFinished } from "vitest";

import type { McpSettings } from "../../packages/tutti/src/protocols/mcp/mcp-options.ts";
import { openMcpServer, type McpServer } from "../../packages/tutti/src/protocols/mcp/mcp-server.ts";
import { toScript } from "./scripts.ts";

/** A folder of its own, removed after the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tutti-mcp-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const officials = {
  everything: import.meta.resolve("@modelcontextprotocol/server-everything/package.json"),
  filesystem: import.meta.resolve("@modelcontextprotocol/server-filesystem/package.json"),
  memory: import.meta.resolve("@modelcontextprotocol/server-memory/package.json"),
} as const;

/** How an official server is started. */
export function toOfficial(
  name: keyof typeof officials,
  ...args: readonly string[]
): { command: string; args: string[] } {
  const manifest = fileURLToPath(officials[name]);
  return { command: process.execPath, args: [manifest.replace("package.json", "dist/index.js"), ...args] };
}

export interface PipeStage {
  readonly world: string;
  readonly server: McpServer;
  /** What the server wrote down. */
  readonly log: () => readonly string[];
  /** The processes that it was, first to last. */
  readonly pids: () => readonly number[];
}

/** The server of `pipe-server.ts`, closed after the test. */
export async function openPipe(
  options: Partial<McpSettings> & { readonly mode?: string; readonly world?: string } = {},
): Promise<PipeStage> {
  const { mode = "well", world = makeFolder(), ...settings } = options;
  const server = await openMcpServer({ name: "pipe", ...toScript("pipe-server.ts", mode, world), ...settings });
  onTestFinished(() => server.close());
  return { world, server, ...toWorld(world) };
}

export function toWorld(world: string): Pick<PipeStage, "log" | "pids"> {
  const file = join(world, "log");
  const lines = (): string[] => (existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : []);
  return {
    log: () => lines().filter((line) => !line.startsWith("started ")),
    pids: () => lines().flatMap((line) => (line.startsWith("started ") ? [Number(line.slice(8))] : [])),
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Looks again until another process has done something; a bounded wait, never a fixed one. */
export async function untilSeen(isSo: () => boolean): Promise<void> {
  const patience = AbortSignal.timeout(20_000);
  while (!isSo()) {
    if (patience.aborted) throw new Error(`this was never seen: ${isSo.toString()}`);
    await sleep(5);
  }
}

/** What a tool without an output schema said. */
export function textOf(output: unknown): string {
  if (typeof output === "object" && output !== null && "text" in output) return String(output.text);
  throw new Error(`expected an output with a text, got ${JSON.stringify(output)}`);
}
