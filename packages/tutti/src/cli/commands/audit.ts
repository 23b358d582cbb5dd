import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Anchor } from "../../audit/anchor-port.ts";
import { parseAnchor, readAnchor } from "../../audit/anchor.ts";
import { toAuditFolder, withAuditLock } from "../../audit/audit-file.ts";
import { parseLogNote } from "../../audit/checkpoint.ts";
import { exportEvidence } from "../../audit/export-evidence.ts";
import { splitNotes } from "../../audit/signed-note.ts";
import { rotateSigningKey, toKeyName } from "../../audit/signing-key.ts";
import { takeCheckpoint } from "../../audit/take-checkpoint.ts";
import {
  readOwnNotes,
  verifyAudit,
  type AuditFinding,
  type AuditVerification,
  type NoteSource,
} from "../../audit/verify-audit.ts";
import { describeThrown, TuttiError } from "../../base/errors.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findLedgerFile, findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, tell } from "../output.ts";
import { splitNames } from "../read-value.ts";
import { toElapsed, toMoment, toNumberOf } from "../terminal-text.ts";

const withoutAnchor =
  "Without an anchor (--anchor) this tells only of people who can't reach the ledger's folder: whoever can could write ledger, checkpoints and key anew.";

/** What the command works on. */
interface Audited {
  readonly call: CommandCall;
  readonly path: string;
  readonly file: string;
  readonly folder: string;
  readonly anchors: readonly Anchor[];
  readonly signal: AbortSignal;
}

/** `tutti audit`: what is signed about a ledger, and whether it still holds. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const file = findLedgerFile(path);
  const anchors = splitNames(call.text("anchor")).map((name) => parseAnchor(name, file));
  const audited = { call, path, file, folder: toAuditFolder(file), anchors, signal: new AbortController().signal };
  const action = call.operand("action");
  if (action !== "export" && call.optional("run") !== undefined)
    throw toUsage(`audit ${action} takes no run`, "tutti audit export <run>");
  switch (action) {
    case "checkpoint":
      return checkpoint(audited);
    case "verify":
      return verify(audited);
    case "export":
      return exportRun(audited);
    case "rotate-key":
      return rotateKey(audited);
    default:
      throw toUsage(`there is no audit ${action}`, "tutti audit checkpoint|verify|export|rotate-key");
  }
}

async function checkpoint({ call, path, folder, anchors, signal }: Audited): Promise<ExitCode> {
  const taken = await withReader(path, (ledger) => takeCheckpoint({ ledger, folder, anchors, signal }));
  const { added, newest, log, publicKey } = taken;
  if (call.flag("json"))
    sayJson({ log, key: toKeyName(publicKey), added, checkpoints: newest, anchors: anchors.map(({ name }) => name) });
  else {
    say(`${toNumberOf(added, "new entry", "new entries")}; key ${toKeyName(publicKey)}`);
    for (const { origin, size, root } of newest) say(`${origin}  ${size}  ${root}`);
    if (anchors.length === 0) tell(withoutAnchor);
  }
  return exitCodes.done;
}

async function verify({ call, path, folder, anchors, signal }: Audited): Promise<ExitCode> {
  const outside: NoteSource[] = [];
  for (const anchor of anchors) outside.push({ name: anchor.name, notes: await readAnchor(anchor, signal) });
  const since = call.text("since");
  if (since !== undefined) outside.push(await readSince(since));
  const own = readOwnNotes(folder);
  const found = await withReader(path, (ledger) => verifyAudit(ledger, own, outside));
  const findings: AuditFinding[] = [...found.findings];
  if (call.flag("strict") && found.unsigned > 0) {
    const text = `${toNumberOf(found.unsigned, "entry", "entries")} after the newest checkpoint: nobody signed`;
    findings.push({ kind: "signature", text });
  }
  const all = { ...found, findings };
  if (call.flag("json")) {
    const newest =
      found.newest === undefined ? {} : { newest: { ...found.newest, ageMs: Date.now() - found.newest.at } };
    sayJson({ ledger: path, anchors: outside.map(({ name }) => name), ...all, ...newest });
  } else tellVerified(path, all, outside.length > 0);
  if (findings.length === 0) return exitCodes.done;
  throw new TuttiError("LEDGER_CORRUPT", `${path} is not what was signed: ${toNumberOf(findings.length, "finding")}`, {
    hint: "Keep the file, its -audit folder and the anchors as they are: they are evidence. Then restore from a backup.",
    facts: { findings: findings.slice(0, toldMax).map(({ text }) => text) },
  });
}

const toldMax = 20;

function tellVerified(
  path: string,
  { entries, runs, logs, unsigned, newest, findings }: AuditVerification,
  isAnchored: boolean,
): void {
  for (const { kind, text } of findings.slice(0, toldMax)) say(`${kind}: ${text}`);
  if (findings.length === 0)
    say(
      `${path} is what was signed: ${toNumberOf(entries, "entry", "entries")} of ${toNumberOf(runs, "run")}, ${toNumberOf(logs.length, "log")}`,
    );
  say(
    toNewestLine(
      newest,
      logs.reduce((sum, { signed }) => sum + signed, 0),
      unsigned,
    ),
  );
  if (!isAnchored) tell(withoutAnchor);
}

/** So that a person sees it when checkpoints are not taken any more. */
function toNewestLine(newest: AuditVerification["newest"], signed: number, unsigned: number): string {
  const after = toNumberOf(unsigned, "entry", "entries");
  if (newest === undefined) return `nothing was ever signed (tutti audit checkpoint): ${after}`;
  const now = Date.now();
  const age = `${toMoment(newest.at, now)}, ${toElapsed(now - newest.at)} ago`;
  return `newest checkpoint: ${toNumberOf(signed, "entry", "entries")}, the last of ${age}; ${after} after it`;
}

/** A checkpoint that somebody kept: what `audit checkpoint` gave to an anchor, or a line of it. */
async function readSince(path: string): Promise<NoteSource> {
  const text = await readText(path);
  const notes = splitNotes(text).flatMap((raw) => parseLogNote(raw) ?? []);
  if (notes.length > 0) return { name: path, notes };
  throw toUsage(
    `${path} holds no signed checkpoint`,
    "Name a file with a signed note, such as one that an anchor keeps.",
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new TuttiError("SOURCE_UNREADABLE", `${path} can't be read: ${describeThrown(error)}`, { cause: error });
  }
}

async function exportRun(audited: Audited): Promise<ExitCode> {
  const { call, path, folder, anchors, signal } = audited;
  const named = call.optional("run");
  if (named === undefined) throw toUsage("audit export needs a run", "tutti audit export <run> --to <file or folder>");
  const { id, content } = await withReader(path, async (ledger) => {
    const record = await findNamedRun(ledger, named);
    const request = { ledger, folder, run: record.id, anchors, signal };
    return { id: record.id, content: await exportEvidence(request) };
  });
  const to = await toTarget(call.text("to") ?? ".", id);
  await writeFile(to, content, { flag: "wx" }).catch((error: unknown) => {
    throw new TuttiError("SOURCE_UNREADABLE", `${to} can't be written: ${describeThrown(error)}`, {
      hint: "Name a file that does not exist yet, with --to.",
      cause: error,
    });
  });
  if (call.flag("json")) sayJson({ run: id, file: to, bytes: Buffer.byteLength(content) });
  else {
    say(to);
    tell(`node tools/verify-evidence.mjs ${to} checks it anywhere, without Tutti.`);
    if (anchors.length === 0) tell(withoutAnchor);
  }
  return exitCodes.done;
}

async function toTarget(to: string, id: string): Promise<string> {
  const isFolder = await stat(to).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? join(to, `${id.replaceAll(/[^\w.-]/gu, "_")}.evidence`) : to;
}

async function rotateKey({ call, folder }: Audited): Promise<ExitCode> {
  const key = await withAuditLock(folder, async () => rotateSigningKey(folder));
  const name = toKeyName(key.publicKey);
  if (call.flag("json")) sayJson({ log: key.log, key: name, generation: key.generation });
  else say(`key ${name} (number ${key.generation}) signs from now on`);
  return exitCodes.done;
}
