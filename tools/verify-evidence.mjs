// Verifies the evidence of a run without any code of Tutti: node tools/verify-evidence.mjs <file> [--key <name>] [--anchor <file>]
//
// Prints what was found and ends with 0 if everything holds, with 1 if not. It reads the named files and nothing else.
//
// The file is one line of JSON and, after it, a signed note (C2SP signed-note, Ed25519):
//
//   <log>/evidence                      the name under which it is signed
//   <SHA-256 of the JSON line>          with its line feed, 64 hexadecimal digits
//   <empty line>
//   — <log>/evidence <base64>           4 bytes of key id and the signature
//
// The JSON holds: `run`, `tenant`, `log`, and
//   keys        notes that announce the log's keys: origin, number, "ed25519 <32 bytes in base64>"; each signed by itself and by the one before
//   checkpoint  the signed state of the tenant's log (C2SP tlog-checkpoint): origin, size, root in base64, "lsn <position of its last entry>"
//   entries     the run's entries as they are stored; `hash` chains each to the one before (see tools/verify-ledger.mjs);
//               `index` and `proof` place SHA-256(0x00 ‖ hash) in the log (RFC 6962); `opened` is a body that is stored sealed, opened
//   blobs       large values by their SHA-256
//   anchors     states of the log that were kept outside, each with the proof that the signed state begins with it (RFC 6962)
//   decisions   places of policies, approvals, directives, decisions of agents and people's acts; and `explanation`, in words.
//               What a policy allowed stands in the intent that it allowed, as `decided`
//
// Whom to believe: the file says which key signed it. Compare the key's name with one you know (--key), or give notes that you kept
// yourself (--anchor), whose first key then counts.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

main(readArguments(process.argv.slice(2)));

/** @param {{ file: string, key: string | undefined, anchor: string | undefined }} named */
function main({ file, key, anchor }) {
  try {
    const kept = anchor === undefined ? [] : splitNotes(readFileSync(anchor, "utf8"));
    finish(verifyEvidence(readFileSync(file, "utf8"), key, kept).join("\n"), 0);
  } catch (error) {
    finish(`broken: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

/** @param {string[]} args */
function readArguments(args) {
  /** @type {Record<string, string | undefined>} */
  const found = {};
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--key" || word === "--anchor") found[word.slice(2)] = args[++at] ?? "";
    else found["file"] = word;
  }
  const { file, key, anchor } = found;
  if (file === undefined) finish("usage: node tools/verify-evidence.mjs <file> [--key <name>] [--anchor <file>]", 1);
  return { file, key, anchor };
}

/**
 * @param {string} content
 * @param {string | undefined} keyWanted
 * @param {string[]} keptRaw
 */
function verifyEvidence(content, keyWanted, keptRaw) {
  const end = content.indexOf("\n") + 1;
  const seal = parseNote(content.slice(end));
  const evidence = JSON.parse(content.slice(0, end));
  need(evidence.format === "tutti-evidence-1", "this is not evidence of a form that is known here");
  const { log } = evidence;
  const kept = keptRaw.map(parseNote).filter((note) => note.text.startsWith(`${log}/`));
  const keys = trustKeys(log, evidence.keys.map(parseNote), kept);
  const newest = keys.at(-1) ?? "";
  need(
    seal.text === `${log}/evidence\n${sha256(content.slice(0, end)).toString("hex")}\n`,
    "the file was changed after it was signed",
  );
  need(isSigned(seal, `${log}/evidence`, [newest]), "the file is not signed by the newest key of the log");
  need(
    keyWanted === undefined || keyWanted === toKeyName(newest),
    `it is signed by key ${toKeyName(newest)}, not ${keyWanted}`,
  );
  const checkpoint = parseCheckpoint(parseNote(evidence.checkpoint), log, keys);
  const origin = evidence.tenant === "" ? `${log}/runs` : `${log}/tenant/${evidence.tenant}`;
  need(checkpoint.origin === origin, "the signed state is that of another log");
  checkEntries(evidence, checkpoint);
  checkBlobs(evidence);
  const anchored = evidence.anchors.map((/** @type {any} */ each) => checkAnchor(each, checkpoint, { log, keys }));
  return [
    `intact: run ${evidence.run}, ${evidence.entries.length} entries, among ${checkpoint.size} of ${origin}`,
    `signed by key ${toKeyName(newest)} (number ${keys.length})`,
    ...anchored,
    ...checkKept(kept, checkpoint, { log, keys }),
    "",
    ...evidence.explanation,
  ];
}

/**
 * The keys of the log, the oldest first.
 * @param {string} log @param {Note[]} notes @param {Note[]} kept
 */
function trustKeys(log, notes, kept) {
  /** @type {string[]} */
  const keys = [];
  for (const note of notes) {
    const [origin, number, line = ""] = note.text.split("\n");
    const key = line.slice("ed25519 ".length);
    need(origin === `${log}/keys` && Number(number) === keys.length + 1, "the keys of the log are not in order");
    need(note.text === `${origin}\n${number}\ned25519 ${key}\n`, "a key of the log was changed");
    need(
      isSigned(note, `${log}/keys`, [key]) && isSigned(note, `${log}/keys`, [keys.at(-1) ?? key]),
      `key ${number} is not signed by the key before it`,
    );
    keys.push(key);
  }
  need(keys.length > 0, "no key of the log is in it");
  for (const { text } of kept.filter((note) => note.text.startsWith(`${log}/keys\n`))) {
    const [, number, line = ""] = text.split("\n");
    const known = keys[Number(number) - 1];
    need(
      known === undefined || known === line.slice("ed25519 ".length),
      `key ${number} is another one than the one that was kept`,
    );
  }
  return keys;
}

/** @param {Note} note @param {string} log @param {string[]} keys */
function parseCheckpoint(note, log, keys) {
  const [origin = "", size = "", root = "", extension = ""] = note.text.split("\n");
  const checkpoint = { origin, size: Number(size), root: Buffer.from(root, "base64"), lsn: Number(extension.slice(4)) };
  const text = `${origin}\n${checkpoint.size}\n${checkpoint.root.toString("base64")}\nlsn ${checkpoint.lsn}\n`;
  need(note.text === text && origin.startsWith(`${log}/`), "a signed state can't be read");
  need(isSigned(note, origin, keys), "a state of the log is not signed by one of its keys");
  return checkpoint;
}

/** @param {any} evidence @param {{ size: number, root: Buffer }} checkpoint */
function checkEntries({ run, entries }, { size, root }) {
  let previous = sha256(`tutti-ledger\n${run}`).toString("hex");
  let last = { index: -1, seq: 0, lsn: 0 };
  need(entries.length > 0, "no entry is in it");
  for (const entry of entries) {
    const { lsn, seq, kind, key, at, version, body, hash, index, proof } = entry;
    const place = `entry ${seq}`;
    need(
      entry.run === run && seq === last.seq + 1 && lsn > last.lsn && index > last.index,
      `${place} is not in its place`,
    );
    const seal = `${previous}\n${sha256(body).toString("hex")}\n${lsn}\n${run}\n${seq}\n${kind}\n${at}\n${version}\n${key}`;
    need(sha256(seal).toString("hex") === hash, `${place}, or one before it, is not what was sealed`);
    const leaf = sha256(Buffer.concat([Buffer.of(0), Buffer.from(hash, "hex")]));
    need(isIncluded(leaf, { index, size, proof, root }), `${place} is not in the signed log`);
    previous = hash;
    last = { index, seq, lsn };
  }
}

/** @param {any} evidence */
function checkBlobs({ entries, blobs }) {
  for (const { body } of entries) {
    for (const hash of findReferences(JSON.parse(body))) {
      const content = blobs[hash];
      need(
        typeof content === "string" && sha256(content).toString("hex") === hash,
        `the large value ${hash} is missing or was changed`,
      );
    }
  }
}

/** @param {any} anchor @param {{ origin: string, size: number, root: Buffer }} checkpoint @param {{ log: string, keys: string[] }} trusted */
function checkAnchor({ name, checkpoint, consistency }, { origin, size, root }, { log, keys }) {
  if (checkpoint === undefined) return `anchor ${name} knows no earlier state of this log`;
  const known = parseCheckpoint(parseNote(checkpoint), log, keys);
  need(known.origin === origin, `what ${name} keeps is a state of another log`);
  need(
    isConsistent({ from: known, to: { size, root }, proof: consistency }),
    `the log is not what ${name} knew (${known.size} entries)`,
  );
  return `begins with the ${known.size} entries that ${name} knows`;
}

/** @param {Note[]} kept @param {{ origin: string, size: number, root: Buffer }} checkpoint @param {{ log: string, keys: string[] }} trusted */
function checkKept(kept, { origin, size, root }, { log, keys }) {
  const states = kept
    .filter((note) => note.text.startsWith(`${origin}\n`))
    .map((note) => parseCheckpoint(note, log, keys));
  const same = states.filter((state) => state.size === size);
  need(
    same.every((state) => state.root.equals(root)),
    "the log is another one than the one that was kept",
  );
  if (same.length > 0) return ["the very state of the log was kept by the reader"];
  return kept.length === 0 ? [] : ["the reader kept keys of this log, but not this very state of it"];
}

/** RFC 9162, 2.1.3.2. @param {Buffer} leaf @param {{ index: number, size: number, proof: string[], root: Buffer }} place */
function isIncluded(leaf, { index, size, proof, root }) {
  if (index >= size) return false;
  let at = index;
  let last = size - 1;
  let node = leaf;
  for (const step of proof.map(toBytes)) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      node = toNode(step, node);
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else node = toNode(node, step);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && node.equals(root);
}

/** RFC 9162, 2.1.4.2. @param {{ from: { size: number, root: Buffer }, to: { size: number, root: Buffer }, proof: string[] }} claim */
function isConsistent({ from, to, proof }) {
  if (from.size > to.size) return false;
  if (from.size === to.size) return proof.length === 0 && from.root.equals(to.root);
  if (from.size === 0) return proof.length === 0;
  const steps = proof.map(toBytes);
  if (Number.isInteger(Math.log2(from.size))) steps.unshift(from.root);
  let at = from.size - 1;
  let last = to.size - 1;
  while (at % 2 === 1) {
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  const [first, ...rest] = steps;
  if (first === undefined) return false;
  let before = first;
  let after = first;
  for (const step of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      before = toNode(step, before);
      after = toNode(step, after);
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else after = toNode(after, step);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && before.equals(from.root) && after.equals(to.root);
}

/** @param {string} hex */
function toBytes(hex) {
  need(/^[0-9a-f]{64}$/.test(hex), "a proof can't be read");
  return Buffer.from(hex, "hex");
}

/** @param {Buffer} left @param {Buffer} right */
function toNode(left, right) {
  return sha256(Buffer.concat([Buffer.of(1), left, right]));
}

/** @typedef {{ text: string, signatures: { name: string, bytes: Buffer }[] }} Note */

/** Strict: a note that would be written otherwise is none. @param {string} raw @returns {Note} */
function parseNote(raw) {
  const end = raw.indexOf("\n\n");
  const text = raw.slice(0, end + 1);
  const signatures = raw
    .slice(end + 2)
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [, name = "", base64 = ""] = /^— ([^ +]+) ([\w+/=]+)$/.exec(line) ?? [];
      return { name, bytes: Buffer.from(base64, "base64") };
    });
  const again = `${text}\n${signatures.map(({ name, bytes }) => `— ${name} ${bytes.toString("base64")}\n`).join("")}`;
  need(end !== -1 && signatures.length > 0 && raw === again, "a signed note can't be read");
  return { text, signatures };
}

/** @param {string} text */
function splitNotes(text) {
  return text
    .split(/(?<=^— .*\n)\n(?!— )/m)
    .map((note) => note.trimStart())
    .filter((note) => note !== "");
}

/** @param {Note} note @param {string} name @param {string[]} keys */
function isSigned({ text, signatures }, name, keys) {
  return keys.some((key) => {
    const raw = Buffer.from(key, "base64");
    const id = sha256(Buffer.concat([Buffer.from(`${name}\n\u0001`), raw])).subarray(0, 4);
    const publicKey = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
      format: "jwk",
    });
    return signatures.some(
      (each) =>
        each.name === name &&
        each.bytes.subarray(0, 4).equals(id) &&
        verify(null, Buffer.from(text), publicKey, each.bytes.subarray(4)),
    );
  });
}

/** @param {string} key */
function toKeyName(key) {
  return sha256(Buffer.from(key, "base64")).toString("hex").slice(0, 16);
}

/** @param {unknown} value @returns {string[]} */
function findReferences(value) {
  if (typeof value !== "object" || value === null) return [];
  const nested = Object.values(value).flatMap(findReferences);
  const { hash, bytes } = /** @type {{ hash?: unknown, bytes?: unknown }} */ (value);
  const isReference = typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash) && typeof bytes === "number";
  return isReference ? [hash, ...nested] : nested;
}

/** @param {import("node:crypto").BinaryLike} content */
function sha256(content) {
  return createHash("sha256").update(content).digest();
}

/** @param {unknown} condition @param {string} otherwise */
function need(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** @param {string} text @param {number} exitCode @returns {never} */
function finish(text, exitCode) {
  process.stdout.write(`${text}\n`);
  process.exit(exitCode);
}
