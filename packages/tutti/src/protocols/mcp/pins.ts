import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";

import type { Tool as RemoteTool } from "@modelcontextprotocol/client";

import { describeThrown, TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import { fields, integer, recordOf, text } from "../../base/shape.ts";
import { contractOf } from "./contract.ts";

/** Tools that were accepted, by the server's name for them: the hash of everything that a model or the engine believes about them. */
export type Pins = Readonly<Record<string, string>>;

/** Where pins are kept. */
export interface PinStore {
  /** `undefined` when nothing was ever accepted. */
  read(): Promise<Pins | undefined>;
  /** Resolves when they are on disk. */
  write(pins: Pins): Promise<void>;
}

/** Changes when the tool's name, description, schemas, annotations or contract do. */
export function hashOf(remote: RemoteTool): string {
  const { name, title, description, inputSchema, outputSchema, annotations } = remote;
  const contract = contractOf(remote);
  return sha256(toCanonicalJson({ name, title, description, inputSchema, outputSchema, annotations, contract }));
}

export function openPinMemory(): PinStore {
  let kept: Pins | undefined;
  return {
    read: () => Promise.resolve(kept),
    write(pins) {
      kept = pins;
      return Promise.resolve();
    },
  };
}

const stored = fields({ version: integer, server: text, tools: recordOf(text) });
const versionKnown = 1;

/** One file for one server, replaced as a whole, so that a crash leaves the old one or the new one. */
export function openPinFile(file: string, server: string): PinStore {
  return {
    async read() {
      const content = await readIfThere(file);
      if (content === undefined) return undefined;
      const pins = parsePins(content, file);
      if (pins.server === server && pins.version === versionKnown) return pins.tools;
      throw new TuttiError(
        "DEFINITION_INVALID",
        `${file} keeps the tools of another server or version: ${pins.server}`,
        { hint: "Give every server a pin file of its own." },
      );
    },
    async write(pins) {
      const content = `${JSON.stringify({ version: versionKnown, server, tools: pins }, undefined, 2)}\n`;
      try {
        await replaceFile(file, content);
      } catch (error) {
        throw new TuttiError("SOURCE_UNREADABLE", `${file} can't be written: ${describeThrown(error)}`, {
          hint: "Accepted tools are kept there: give a file in a folder that can be written.",
          cause: error,
        });
      }
    },
  };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw toUnreadable(file, error);
  }
}

function parsePins(content: string, file: string): ReturnType<typeof stored> {
  try {
    return stored(JSON.parse(content), "");
  } catch (error) {
    throw toUnreadable(file, error);
  }
}

// Never taken for an empty one: then whatever the server offers now would be accepted unseen.
function toUnreadable(file: string, error: unknown): TuttiError {
  return new TuttiError("SOURCE_UNREADABLE", `${file} can't be read: ${describeThrown(error)}`, {
    hint: "Restore it, or remove it to accept what the server offers now.",
    cause: error,
  });
}

async function replaceFile(file: string, content: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.new`;
  const handle = await open(draft, "w");
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
