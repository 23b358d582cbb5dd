// Verifies a Tutti ledger (a SQLite file) without any code of Tutti: node tools/verify-ledger.mjs <ledger.db>
//
// Prints one line and ends with 0 if the ledger is intact, with 1 if it is not or can't be read.
// It only reads, and may run beside the engine that writes.
//
// What is checked, for every entry in the order of `lsn`:
//   1. `lsn` counts from 1 without gaps; `at` (milliseconds since 1970) never goes back.
//   2. `seq` counts from 1 without gaps within the entry's run.
//   3. `hash` is what the chain of the run says. With SHA-256 over UTF-8, written as 64 lower-case hexadecimal digits,
//      "\n" for a line feed, and numbers in decimal:
//
//        genesis(run)  = SHA-256("tutti-ledger\n" run)
//        digest(entry) = SHA-256(body), or the column `digest` where the body was erased (is null)
//        hash(entry)   = SHA-256(previous "\n" digest "\n" lsn "\n" run "\n" seq "\n" kind "\n" at "\n" version "\n" key)
//
//      where `previous` is the hash of the run's entry before, or genesis(run) for its first, and `run` is the run's name.
//      The columns `hash` and `digest` hold the 32 bytes themselves.
//   4. `body` is JSON, and every blob it refers to exists. A reference is an object with `hash` (64 digits) and `bytes`
//      (a number), at any depth.
//   5. The content of a referenced blob has the SHA-256 it is stored under.
//
// What no such program can see: that the newest entries of all were cut off, or that everything was written anew.
// Compare the last hash with one that was kept elsewhere.
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

const [path] = process.argv.slice(2);
if (path === undefined) finish("usage: node tools/verify-ledger.mjs <ledger.db>", 1);
try {
  const verdict = verify(new DatabaseSync(path, { readOnly: true }));
  finish(verdict.text, verdict.isIntact ? 0 : 1);
} catch (error) {
  finish(`broken: the file can't be read: ${error instanceof Error ? error.message : String(error)}`, 1);
}

/** @param {DatabaseSync} database */
function verify(database) {
  // Indexes: the primary keys of entry and run.
  const entries = database.prepare(`
    select entry.lsn, run.name as run, entry.seq, entry.kind, entry.key, entry.at, entry.version, entry.body,
      lower(hex(entry.digest)) as digest, lower(hex(entry.hash)) as hash
    from entry left join run on run.id = entry.run order by entry.lsn`);
  // Index: the primary key of blob.
  const blob = database.prepare("select content from blob where hash = ?");
  /** @type {Map<string, { seq: number, hash: string }>} */
  const ends = new Map();
  let last = { lsn: 0, at: 0 };
  for (const row of entries.iterate()) {
    const why = findFault(row, last, ends) ?? findBlobFault(row.body, blob);
    if (why !== undefined) {
      return { isIntact: false, text: `broken: entry ${row.lsn} (run ${row.run}, ${row.seq}): ${why}` };
    }
    ends.set(String(row.run), { seq: Number(row.seq), hash: String(row.hash) });
    last = { lsn: Number(row.lsn), at: Number(row.at) };
  }
  return { isIntact: true, text: `intact: ${last.lsn} entries of ${ends.size} runs` };
}

/**
 * @param {Record<string, import("node:sqlite").SQLOutputValue>} row
 * @param {{ lsn: number, at: number }} last
 * @param {Map<string, { seq: number, hash: string }>} ends
 */
function findFault(row, last, ends) {
  const { lsn, run, seq, kind, key, at, version, body, digest, hash } = row;
  if (lsn !== last.lsn + 1) return `the entries from ${last.lsn + 1} to ${Number(lsn) - 1} are missing before it`;
  if (Number(at) < last.at) return "it is dated before the entry in front of it";
  if (typeof run !== "string") return "its run is missing";
  const end = ends.get(run) ?? { seq: 0, hash: sha256(`tutti-ledger\n${run}`) };
  if (seq !== end.seq + 1) return `its place in the run should be ${end.seq + 1}`;
  const bodyDigest = body === null ? digest : sha256(String(body));
  const seal = `${end.hash}\n${bodyDigest}\n${lsn}\n${run}\n${seq}\n${kind}\n${at}\n${version}\n${key}`;
  return sha256(seal) === hash ? undefined : "its content, or an entry before it, is not what was sealed";
}

/**
 * @param {unknown} body
 * @param {import("node:sqlite").StatementSync} blob
 */
function findBlobFault(body, blob) {
  if (typeof body !== "string") return body === null ? undefined : "its body is not text";
  let value;
  try {
    value = JSON.parse(body);
  } catch {
    return "its body is not JSON";
  }
  for (const hash of findReferences(value)) {
    const content = blob.get(Buffer.from(hash, "hex"))?.content;
    if (content === undefined) return `the value ${hash} that it refers to is missing`;
    if (sha256(String(content)) !== hash) return `the value ${hash} that it refers to was changed`;
  }
  return undefined;
}

/**
 * @param {unknown} value
 * @returns {string[]}
 */
function findReferences(value) {
  if (typeof value !== "object" || value === null) return [];
  const nested = Object.values(value).flatMap(findReferences);
  const { hash, bytes } = /** @type {{ hash?: unknown, bytes?: unknown }} */ (value);
  const isReference = typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash) && typeof bytes === "number";
  return isReference ? [hash, ...nested] : nested;
}

/** @param {string} text */
function sha256(text) {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/**
 * @param {string} text
 * @param {number} exitCode
 * @returns {never}
 */
function finish(text, exitCode) {
  process.stdout.write(`${text}\n`);
  process.exit(exitCode);
}
