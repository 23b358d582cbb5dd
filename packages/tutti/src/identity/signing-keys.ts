import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

import { calculateJwkThumbprint } from "jose";

import { TuttiError } from "../base/errors.ts";
import { fields, listOf, oneOf, ShapeError, text, type ShapeOf } from "../base/shape.ts";
import { createPrivateFile, readPrivateFile } from "../ledger/private-file.ts";
import { syncFolder } from "../ledger/sqlite/ledger-file.ts";

/** The public keys of an engine, as a JWKS document: whoever has it can tell what the engine signed. */
export interface CapabilityKeys {
  readonly keys: readonly {
    readonly kty: "OKP";
    readonly crv: "Ed25519";
    readonly x: string;
    readonly kid: string;
    readonly alg: "EdDSA";
    readonly use: "sig";
  }[];
}

/** What signs the capabilities of one engine. */
export interface SigningKeys {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly published: CapabilityKeys;
  /** Signs with a new key from now on. What the old one signed counts until it expires; its private part is gone. */
  readonly rotate: () => Promise<void>;
}

/** So many earlier keys are still published. */
const earlierMax = 3;

const storedShape = fields({ keys: listOf(fields({ kid: text, x: text, crv: oneOf("Ed25519") }, { d: text })) });
type Stored = ShapeOf<typeof storedShape>["keys"];

/**
 * The keys of a file, made on first use so that only its owner can read it; without a file they last as long as the process.
 * @throws TuttiError CONFIG_INVALID if others can read it, or it is damaged
 */
export async function openSigningKeys(file: string | undefined): Promise<SigningKeys> {
  let stored = file !== undefined && existsSync(file) ? readKeys(file) : await makeFirst(file);
  let privateKey = toPrivateKey(stored, file);
  return {
    get kid() {
      return stored[0]?.kid ?? "";
    },
    get privateKey() {
      return privateKey;
    },
    get published() {
      return toPublished(stored);
    },
    async rotate() {
      const earlier = stored.slice(0, earlierMax).map(({ d: _gone, ...known }) => known);
      const next = [await makeKey(), ...earlier];
      if (file !== undefined) writeKeys(file, next);
      stored = next;
      privateKey = toPrivateKey(stored, file);
    },
  };
}

async function makeFirst(file: string | undefined): Promise<Stored> {
  const keys = [await makeKey()];
  if (file !== undefined) writeKeys(file, keys);
  return keys;
}

async function makeKey(): Promise<Stored[number]> {
  const { x = "", d = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const crv = "Ed25519";
  return { kid: await calculateJwkThumbprint({ kty: "OKP", crv, x }), crv, x, d };
}

function toPublished(stored: Stored): CapabilityKeys {
  return { keys: stored.map(({ kid, crv, x }) => ({ kty: "OKP", crv, x, kid, alg: "EdDSA", use: "sig" })) };
}

/** Replaced as a whole: a crash leaves the old keys or the new ones. */
function writeKeys(file: string, keys: Stored): void {
  const draft = `${file}.new`;
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(draft, { force: true }); // of a process that died: nobody has seen its key
  createPrivateFile(draft, `${JSON.stringify({ keys })}\n`);
  renameSync(draft, file);
  syncFolder(path.dirname(file));
}

function readKeys(file: string): Stored {
  const hint = `chmod 600 ${file}, then rotate the keys: whoever read it can act in the engine's name.`;
  const content = readPrivateFile(file, { what: "the keys of capabilities", hint });
  try {
    return storedShape(JSON.parse(content), "").keys;
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof SyntaxError)) throw error;
    throw toDamaged(file, error);
  }
}

function toPrivateKey([first]: Stored, file: string | undefined): KeyObject {
  try {
    const { crv, x, d = "" } = first ?? { crv: "", x: "" };
    return createPrivateKey({ key: { kty: "OKP", crv, x, d }, format: "jwk" });
  } catch (error) {
    throw toDamaged(file ?? "memory", error);
  }
}

function toDamaged(file: string, cause: unknown): TuttiError {
  return new TuttiError("CONFIG_INVALID", `the keys of capabilities in ${file} are damaged`, {
    hint: "Restore the file, or remove it: new keys are made, and servers need the new JWKS document.",
    facts: { path: file },
    cause,
  });
}
