import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { assert } from "../../packages/tutti/src/base/assert.ts";
import type { Durability } from "../../packages/tutti/src/ledger/ledger.ts";

/** What the writer did to its files, in the order in which it happened. Files are named by path, open ones by descriptor. */
export type Operation =
  | { readonly kind: "session" }
  | {
      readonly kind: "open";
      readonly descriptor: number;
      readonly path: string;
      readonly creates: boolean;
      readonly empties: boolean;
    }
  | { readonly kind: "close"; readonly descriptor: number }
  /** Without an offset: where the descriptor stands. */
  | { readonly kind: "write"; readonly descriptor: number; readonly offset: number | undefined; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly descriptor: number; readonly length: number }
  /** A sync covers what was written before it began, and counts from its end on. `thread` tells parallel ones apart. */
  | { readonly kind: "sync-started" | "sync-ended"; readonly descriptor: number; readonly thread: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "acknowledged"; readonly line: string };

export interface Writing {
  readonly folder: string;
  readonly file: string;
  readonly durability: Durability;
  /** Of each run, in each session. */
  readonly steps: number;
  /** How often the ledger is opened, written and closed. */
  readonly sessions: number;
}

const writer = fileURLToPath(new URL("writer.ts", import.meta.url));
const calls =
  "openat,close,write,pwrite64,pwritev,pwritev2,writev,fdatasync,fsync,ftruncate,rename,renameat,renameat2,unlink,unlinkat";

/** Runs the writer under strace. */
export function traceWriter(writing: Writing): readonly Operation[] {
  const operations: Operation[] = [];
  for (let session = 0; session < writing.sessions; session++) {
    const output = `${writing.folder}/trace-${session}`;
    const writerArgs = [writing.file, writing.durability, String(writing.steps), String(session)];
    const args = ["-f", "-qq", "-xx", "-s", "1000000", "-e", `trace=${calls}`, "-o", output];
    const command = [process.execPath, "--conditions=tutti-source", writer, ...writerArgs];
    const { error, status, stderr } = spawnSync("strace", [...args, ...command], { encoding: "utf8", maxBuffer: 1e9 });
    if (error !== undefined) {
      throw new Error("strace is needed to see what is written to disk and when: install it (apt-get install strace)", {
        cause: error,
      });
    }
    if (status !== 0)
      throw new Error(`the traced writer failed with ${status}; may this user trace processes?\n${stderr}`);
    operations.push({ kind: "session" }, ...parseTrace(readFileSync(output, "latin1")));
  }
  return operations;
}

/** @throws Error for a call that would change a file and is not understood. */
export function parseTrace(text: string): readonly Operation[] {
  const unfinished = new Map<string, string>();
  const operations: Operation[] = [];
  for (const line of text.split("\n")) {
    const [, thread, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (thread === undefined || rest === undefined) continue;
    if (rest.endsWith("<unfinished ...>")) {
      const begun = rest.slice(0, -"<unfinished ...>".length).trimEnd();
      unfinished.set(thread, begun);
      operations.push(...toSyncStart(begun, thread));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const call = resumed === null ? rest : `${unfinished.get(thread) ?? ""}${resumed[1] ?? ""}`;
    if (resumed === null) operations.push(...toSyncStart(call, thread));
    operations.push(...toOperations(call, thread));
  }
  return operations;
}

function toSyncStart(call: string, thread: string): readonly Operation[] {
  const [, descriptor] = /^(?:fdatasync|fsync)\((\d+)/.exec(call) ?? [];
  return descriptor === undefined ? [] : [{ kind: "sync-started", descriptor: Number(descriptor), thread }];
}

function toOperations(call: string, thread: string): readonly Operation[] {
  const [, name, args, result] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(call) ?? [];
  if (name === undefined || args === undefined || Number(result) < 0) return [];
  const texts = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g)].map((match) => {
    assert(match[2] === undefined, "strace prints strings in full");
    return Buffer.from((match[1] ?? "").replaceAll("\\x", ""), "hex");
  });
  const [first, second] = texts;
  const numbers = args
    .replaceAll(/"[^"]*"/g, "")
    .split(",")
    .map((part) => Number(part.trim()));
  const descriptor = numbers[0] ?? -1;
  switch (name) {
    case "openat": {
      const flags = new Set(args.slice(args.lastIndexOf('"') + 1).split(/[ ,|]+/));
      const opened = { creates: flags.has("O_CREAT"), empties: flags.has("O_TRUNC") };
      return [{ kind: "open", descriptor: Number(result), path: String(first), ...opened }];
    }
    case "close":
      return [{ kind: "close", descriptor }];
    case "write":
      if (descriptor === 1)
        return String(first)
          .trim()
          .split("\n")
          .map((line) => ({ kind: "acknowledged", line }));
      return first === undefined
        ? []
        : [{ kind: "write", descriptor, offset: undefined, data: first.subarray(0, Number(result)) }];
    case "pwrite64":
      return first === undefined
        ? []
        : [{ kind: "write", descriptor, offset: numbers.at(-1), data: first.subarray(0, Number(result)) }];
    case "ftruncate":
      return [{ kind: "truncate", descriptor, length: numbers[1] ?? 0 }];
    case "fdatasync":
    case "fsync":
      return [{ kind: "sync-ended", descriptor, thread }];
    case "unlink":
    case "unlinkat":
      return [{ kind: "unlink", path: String(first) }];
    case "rename":
    case "renameat":
    case "renameat2":
      return [{ kind: "rename", from: String(first), to: String(second) }];
    default:
      // Vectored writes: nothing of ours uses them on files; if that changes, this tool has to learn them.
      return [{ kind: "write", descriptor, offset: Number.NaN, data: Buffer.alloc(0) }];
  }
}
