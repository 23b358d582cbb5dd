import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { toShortId } from "../base/chance.ts";
import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { fields, integer, ShapeError, text, type ShapeOf } from "../base/shape.ts";
import { createPrivateFile, readPrivateFile } from "../ledger/private-file.ts";
import { syncFolder } from "../ledger/sqlite/ledger-file.ts";
import { appendAuditLine, readAuditRecord } from "./audit-file.ts";
import { parseLogNote, toKeyOrigin, toKeyText } from "./checkpoint.ts";
import { toSignedNote, type Signer } from "./signed-note.ts";

/** What signs the checkpoints of one ledger. */
export interface SigningKey extends Signer {
  /** The name of the ledger's logs, made with the first key: `tutti.log/<10 digits>`. */
  readonly log: string;
  readonly generation: number;
}

const names = { present: "signing-key.json", next: "signing-key-next.json" } as const;
const fileShape = fields({ log: text, generation: integer, publicKey: text, privateKey: text });

/** 16 hexadecimal digits that people can compare. */
export function toKeyName(publicKey: string): string {
  return sha256(Buffer.from(publicKey, "base64")).slice(0, 16);
}

/**
 * The key of a ledger, made on first use in a file that only its owner can read.
 * @throws TuttiError CONFIG_INVALID if others can read it, if it is damaged, or if it is gone while its signatures are there
 */
export function openSigningKey(folder: string): SigningKey {
  const announced = readAuditRecord(folder).keys.map(parseLogNote);
  const newest = announced.at(-1);
  finishRotation(folder, newest?.kind === "key" ? newest.publicKey : undefined);
  const file = join(folder, names.present);
  if (!existsSync(file)) {
    if (newest !== undefined) throw toMissing(file);
    writeKey(folder, names.present, makeKey(`tutti.log/${toShortId()}`, 1));
  }
  const key = readKey(file);
  if (newest === undefined) appendAuditLine(folder, { key: announce(key, [key]) });
  return key;
}

/**
 * Replaces the key. The new one is announced by a note that the old one signs as well, so whoever knows the old one can trust it;
 * then the old one is gone. A crash on the way leaves the old key or the new one, never none.
 */
export function rotateSigningKey(folder: string): SigningKey {
  const present = openSigningKey(folder);
  const next = makeKey(present.log, present.generation + 1);
  writeKey(folder, names.next, next);
  appendAuditLine(folder, { key: announce(next, [present, next]) });
  finishRotation(folder, next.publicKey);
  return next;
}

function announce(key: SigningKey, signers: readonly Signer[]): string {
  const origin = toKeyOrigin(key.log);
  return toSignedNote(toKeyText({ ...key, origin }), origin, signers);
}

/** A key that was made but not announced never signed anything. */
function finishRotation(folder: string, announced: string | undefined): void {
  const next = join(folder, names.next);
  if (!existsSync(next)) return;
  if (readKey(next).publicKey === announced) renameSync(next, join(folder, names.present));
  else rmSync(next);
  syncFolder(folder);
}

function makeKey(log: string, generation: number): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32); // the last 32 bytes of this format are the key
  return { log, generation, publicKey: raw.toString("base64"), privateKey };
}

function writeKey(folder: string, name: string, key: SigningKey): void {
  const stored: ShapeOf<typeof fileShape> = { ...key, privateKey: toText(key.privateKey) };
  createPrivateFile(join(folder, name), `${JSON.stringify(stored)}\n`);
}

function toText(key: KeyObject): string {
  return key.export({ format: "der", type: "pkcs8" }).toString("base64");
}

function readKey(file: string): SigningKey {
  const hint = `chmod 600 ${file}, then \`tutti audit rotate-key\`: whoever read it can sign in your name.`;
  const content = readPrivateFile(file, { what: "the signing key", hint });
  try {
    const { privateKey, ...stored } = fileShape(JSON.parse(content), "");
    const key = createPrivateKey({ key: Buffer.from(privateKey, "base64"), format: "der", type: "pkcs8" });
    return { ...stored, privateKey: key };
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof SyntaxError) && !isCryptoError(error)) throw error;
    throw new TuttiError("CONFIG_INVALID", `the signing key in ${file} is damaged`, {
      hint: "Restore it from a backup.",
      facts: { path: file },
      cause: error,
    });
  }
}

function isCryptoError(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_");
}

function toMissing(file: string): TuttiError {
  return new TuttiError("CONFIG_INVALID", `the signing key ${file} is missing, but it has signed checkpoints`, {
    hint: "Restore it from a backup. Without it, keep the folder as evidence, move it away, and a new log begins.",
    facts: { path: file },
  });
}
