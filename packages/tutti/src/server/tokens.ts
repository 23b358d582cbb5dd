import { randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";

import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { fields, integer, listOf, oneOf, ShapeError, text } from "../base/shape.ts";
import { roles, type Role } from "../contracts/api/commands.ts";

/** A token without its secret, which nobody can read back. */
export interface TokenRecord {
  /** The part of the token that is no secret. */
  readonly id: string;
  /** Who holds it: written into the ledger as who commanded. */
  readonly name: string;
  readonly role: Role;
  /** Sees and does only what belongs to this tenant. */
  readonly tenant?: string | undefined;
  readonly createdAt: number;
}

/** The tokens of one ledger, in a file beside it that only its owner can read. Only hashes are stored. */
export interface Tokens {
  list(): readonly TokenRecord[];
  /** Returns the token, which is told only now. @throws TuttiError INPUT_INVALID, LEDGER_UNWRITABLE */
  create(wanted: Omit<TokenRecord, "id">): { readonly token: string; readonly record: TokenRecord };
  /** Counts at once, also in a server that runs. @throws TuttiError INPUT_INVALID if there is none */
  revoke(id: string): TokenRecord;
  /** Whose token it is, if it is one. @throws TuttiError LEDGER_CORRUPT when the file can't be read */
  find(token: string): TokenRecord | undefined;
  findById(id: string): TokenRecord | undefined;
}

export function toTokensFile(ledgerFile: string): string {
  return `${ledgerFile}-tokens.json`;
}

const tokensMax = 10_000;
const namePattern = /^[\w.~:@ -]{1,120}$/u;
const stored = fields(
  { id: text, hash: text, name: text, role: oneOf(...roles), createdAt: integer },
  { tenant: text },
);
const file = fields({ tokens: listOf(stored) });
type StoredToken = ReturnType<typeof stored>;

export function openTokens(path: string): Tokens {
  const read = openReader(path);
  return {
    list: () => read().map(toRecord),
    create({ name, role, tenant, createdAt }) {
      for (const [what, word] of Object.entries({ name, tenant })) {
        if (word === undefined || namePattern.test(word)) continue;
        throw new TuttiError("INPUT_INVALID", `"${word}" can't be a token's ${what}`, {
          hint: "Use letters, digits, spaces and . ~ : @ - _, at most 120.",
        });
      }
      const tokens = read();
      if (tokens.length >= tokensMax)
        throw new TuttiError("INPUT_INVALID", `there are ${tokensMax} tokens`, { hint: "Revoke those nobody needs." });
      const id = randomBytes(6).toString("hex");
      const secret = randomBytes(32).toString("base64url");
      const made = { id, hash: sha256(secret), name, role, createdAt, ...(tenant === undefined ? {} : { tenant }) };
      write(path, [...tokens, made]);
      return { token: `tutti_${id}_${secret}`, record: toRecord(made) };
    },
    revoke(id) {
      const tokens = read();
      const found = tokens.find((token) => token.id === id);
      if (found === undefined)
        throw new TuttiError("INPUT_INVALID", `there is no token ${id}`, { hint: "`tutti token list` lists them." });
      write(
        path,
        tokens.filter((token) => token !== found),
      );
      return toRecord(found);
    },
    find(token) {
      const [, id, secret] = /^tutti_([0-9a-f]{12})_([\w-]{43})$/u.exec(token) ?? [];
      if (id === undefined || secret === undefined) return undefined;
      const found = read().find((each) => each.id === id);
      return found !== undefined && isSame(found.hash, sha256(secret)) ? toRecord(found) : undefined;
    },
    findById(id) {
      const found = read().find((each) => each.id === id);
      return found === undefined ? undefined : toRecord(found);
    },
  };
}

function isSame(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}

function toRecord({ id, name, role, tenant, createdAt }: StoredToken): TokenRecord {
  return { id, name, role, tenant, createdAt };
}

/** Reads the file again whenever it was replaced: it never changes in place. */
function openReader(path: string): () => readonly StoredToken[] {
  let seen: { readonly inode: number; readonly mtimeMs: number; readonly tokens: readonly StoredToken[] } | undefined;
  return () => {
    if (!existsSync(path)) return [];
    const { ino: inode, mtimeMs } = statSync(path);
    if (seen?.inode !== inode || seen.mtimeMs !== mtimeMs) seen = { inode, mtimeMs, tokens: parse(path) };
    return seen.tokens;
  };
}

function parse(path: string): readonly StoredToken[] {
  try {
    return file(JSON.parse(readFileSync(path, "utf8")), "").tokens;
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof SyntaxError)) throw error;
    throw new TuttiError("LEDGER_CORRUPT", `${path} holds no tokens`, {
      hint: "Restore it from a backup; or remove it, and create the tokens anew.",
      cause: error,
    });
  }
}

function write(path: string, tokens: readonly StoredToken[]): void {
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify({ tokens })}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new TuttiError("LEDGER_UNWRITABLE", `${path} can't be written`, {
      hint: "Tokens are kept beside the ledger.",
      cause: error,
    });
  }
}
