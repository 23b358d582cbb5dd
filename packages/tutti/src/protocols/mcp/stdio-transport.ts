import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

import { parseJSONRPCMessage, type JSONRPCMessage, type Transport } from "@modelcontextprotocol/client";
import { getDefaultEnvironment } from "@modelcontextprotocol/client/stdio";

import { describeThrown, TuttiError } from "../../base/errors.ts";
import type { McpProcess } from "./mcp-options.ts";

/** Lines in a row that are no message. A server that prints a banner stays under it, one that floods does not. */
const strayLinesMax = 1_000;
const lastWordsMax = 500;
/** Closing its input ends a server; one that stays is told to end after this, and killed after as much again. */
const endMs = 2_000;
/** What the process left in the pipe may come after its end. */
const drainMs = 200;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * A server as a child process, one JSON message a line. Unlike the SDK's own transport it says why a server ended, bounds what comes
 * before the next message, and needs no second process to find out which protocol is spoken.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #server: McpProcess;
  readonly #lineBytesMax: number;
  #child: Child | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #strayLines = 0;
  #lastWords = "";
  #fault: TuttiError | undefined;
  #ended: string | undefined;

  constructor(server: McpProcess, lineBytesMax: number) {
    this.#server = server;
    this.#lineBytesMax = lineBytesMax;
  }

  /** With `stderr` it tells the SDK that this is a pipe, where silence means an older server. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get stderr(): Readable | undefined {
    return this.#child?.stderr;
  }

  /** What the server did that ended the conversation, if it was its fault. */
  takeFault(): TuttiError | undefined {
    return this.#fault;
  }

  /** How the process ended, with the last that it wrote to its standard error; `undefined` while it runs. */
  get ended(): string | undefined {
    return this.#ended;
  }

  async start(): Promise<void> {
    const { command, args = [], env = {}, folder } = this.#server;
    const child: Child = spawn(command, args, {
      env: { ...getDefaultEnvironment(), ...env },
      stdio: ["pipe", "pipe", "pipe"],
      ...(folder === undefined ? {} : { cwd: folder }),
    });
    this.#child = child;
    child.stdin.on("error", (error) => this.onerror?.(error));
    void this.#read(child);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-lastWordsMax);
    });
    child.once("exit", () => setTimeout(() => this.#end(child), drainMs).unref());
    child.once("close", () => this.#end(child));
    await once(child, "spawn");
    child.on("error", (error) => this.onerror?.(error));
  }

  /** @throws TuttiError TOOL_UNAVAILABLE if the process is gone: then nothing was sent. */
  async send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.#ended !== undefined || !child.stdin.writable) {
      throw new TuttiError("TOOL_UNAVAILABLE", `the server is not running: ${this.#ended ?? "it was not started"}`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.stdin.write(`${JSON.stringify(message)}\n`, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
    await promise;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.stdin.end();
    if (!(await isGone(child))) child.kill("SIGTERM");
    if (!(await isGone(child))) child.kill("SIGKILL");
    this.#end(child);
  }

  async #read(child: Child): Promise<void> {
    try {
      for await (const chunk of child.stdout) await this.#take(chunk);
    } catch (error) {
      this.onerror?.(toError(error));
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      this.#hold(chunk.subarray(from, at));
      const line = Buffer.concat(this.#pending).toString("utf8");
      this.#pending = [];
      this.#pendingBytes = 0;
      from = at + 1;
      this.#takeLine(line);
      // The SDK hands a notification over a little later, and forgets who waits for progress as soon as the answer is there.
      await turn();
    }
    this.#hold(chunk.subarray(from));
  }

  #hold(part: Buffer): void {
    if (this.#fault !== undefined) return;
    this.#pending.push(part);
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > this.#lineBytesMax) this.#stop(`it sent over ${this.#lineBytesMax} bytes in one message`);
  }

  #takeLine(line: string): void {
    if (this.#fault !== undefined || line.trim() === "") return;
    const message = parseLine(line);
    if (message === undefined) {
      this.#strayLines++;
      if (this.#strayLines > strayLinesMax) this.#stop(`it printed over ${strayLinesMax} lines that are no messages`);
      return;
    }
    this.#strayLines = 0;
    this.onmessage?.(message);
  }

  #stop(what: string): void {
    this.#fault = new TuttiError("TOOL_ANSWER_INVALID", `the server was stopped: ${what}`, {
      hint: "Ask for less at once, raise `messageBytesMax`, or have the server write its log to standard error.",
    });
    this.#pending = [];
    this.#child?.kill("SIGKILL");
    if (this.#child !== undefined) this.#end(this.#child);
  }

  #end(child: ChildProcess): void {
    if (this.#ended !== undefined) return;
    const how = child.signalCode === null ? `it ended with code ${child.exitCode}` : `it ended by ${child.signalCode}`;
    const words = this.#lastWords.trim();
    this.#ended = `${this.#fault?.message ?? how}${words === "" ? "" : `; it said: ${words}`}`;
    this.onclose?.();
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(describeThrown(thrown));
}

function parseLine(line: string): JSONRPCMessage | undefined {
  try {
    return parseJSONRPCMessage(JSON.parse(line));
  } catch {
    return undefined; // counted by the caller: a line that is no message is something printed by mistake
  }
}

async function isGone(child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return true;
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    return await Promise.race([
      once(child, "exit", { signal }).then(() => true),
      sleep(endMs, false, { ref: false, signal }),
    ]);
  } finally {
    waiting.abort();
  }
}
