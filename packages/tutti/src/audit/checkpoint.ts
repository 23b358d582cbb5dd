import { parseSignedNote, type SignedNote } from "./signed-note.ts";

/** How far a log reached, and what it was: C2SP tlog-checkpoint, with the ledger's position as its extension. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly root: string;
  /** The ledger's position of the log's last entry. */
  readonly lsn: number;
}

/** A key of a log, announced by a note that the key before it signed too. */
export interface KeyNotice {
  readonly origin: string;
  /** From 1. */
  readonly generation: number;
  /** 32 bytes in base64. */
  readonly publicKey: string;
}

export type ParsedNote = { readonly raw: string; readonly note: SignedNote } & (
  | ({ readonly kind: "checkpoint" } & Checkpoint)
  | ({ readonly kind: "key" } & KeyNotice)
);

/** The log of a tenant's runs, or of the runs of nobody in particular (""). */
export function toOrigin(log: string, tenant: string): string {
  return tenant === "" ? `${log}/runs` : `${log}/tenant/${tenant}`;
}

export function toKeyOrigin(log: string): string {
  return `${log}/keys`;
}

/** Whose log: what stands in front of the last part. */
export function toLogName(origin: string): string {
  return origin.replace(/\/(?:runs|keys|tenant\/[^/]+)$/u, "");
}

export function toCheckpointText({ origin, size, root, lsn }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root, "hex").toString("base64")}\nlsn ${lsn}\n`;
}

export function toKeyText({ origin, generation, publicKey }: KeyNotice): string {
  return `${origin}\n${generation}\ned25519 ${publicKey}\n`;
}

/** `undefined` for whatever is neither a checkpoint nor a key of ours, letter for letter. */
export function parseLogNote(raw: string): ParsedNote | undefined {
  const note = parseSignedNote(raw);
  if (note === undefined) return undefined;
  const [origin = "", second = "", third = "", fourth = ""] = note.text.split("\n");
  const count = Number(second);
  if (origin.endsWith("/keys")) {
    const notice = { origin, generation: count, publicKey: third.slice("ed25519 ".length) };
    return note.text === toKeyText(notice) && isKey(notice.publicKey)
      ? { kind: "key", raw, note, ...notice }
      : undefined;
  }
  const root = Buffer.from(third, "base64").toString("hex");
  const checkpoint = { origin, size: count, root, lsn: Number(fourth.slice("lsn ".length)) };
  const isWhole = Number.isSafeInteger(count) && Number.isSafeInteger(checkpoint.lsn) && root.length === 64;
  return isWhole && note.text === toCheckpointText(checkpoint)
    ? { kind: "checkpoint", raw, note, ...checkpoint }
    : undefined;
}

function isKey(publicKey: string): boolean {
  const bytes = Buffer.from(publicKey, "base64");
  return bytes.length === 32 && bytes.toString("base64") === publicKey;
}
