import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

import { fields, integer, listOf, oneOf, ShapeError, text } from "../base/shape.ts";
import { roles, type Role } from "../contracts/api/commands.ts";

/** Somebody without a token of their own: whoever started the server. */
interface Guest {
  readonly name: string;
  readonly role: Role;
  readonly tenant: string | undefined;
}

export interface HeldSession {
  readonly who: { readonly tokenId: string } | Guest;
  readonly untilMs: number;
}

/** Sessions of browsers, by the hash of their cookies. */
export interface Sessions {
  find(hash: string): HeldSession | undefined;
  /** Beyond a thousand the oldest session ends. */
  add(hash: string, session: HeldSession): void;
  remove(hash: string): void;
}

const sessionsMax = 1_000;

const stored = fields(
  { hash: text, untilMs: integer },
  { tokenId: text, name: text, role: oneOf(...roles), tenant: text },
);
const file = fields({ sessions: listOf(stored) });

/** Kept in a file, so that nobody has to sign in again because the server started anew; without one, in memory. */
export function openSessions(path: string | undefined): Sessions {
  const sessions = new Map<string, HeldSession>(path === undefined ? [] : read(path));
  const save = (): void => {
    if (path === undefined) return;
    const lines = [...sessions].map(([hash, { who, untilMs }]) => ({ hash, untilMs, ...who }));
    writeFileSync(`${path}.new`, `${JSON.stringify({ sessions: lines })}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  return {
    find: (hash) => sessions.get(hash),
    add(hash, session) {
      for (const oldest of sessions.keys()) {
        if (sessions.size < sessionsMax) break;
        sessions.delete(oldest);
      }
      sessions.set(hash, session);
      save();
    },
    remove(hash) {
      if (sessions.delete(hash)) save();
    },
  };
}

/** What can't be read is nobody's session: then people sign in again. */
function read(path: string): readonly (readonly [string, HeldSession])[] {
  if (!existsSync(path)) return [];
  try {
    const { sessions } = file(JSON.parse(readFileSync(path, "utf8")), "");
    return sessions.map(({ hash, untilMs, tokenId, name = "", role = "viewer", tenant }) => [
      hash,
      { untilMs, who: tokenId === undefined ? { name, role, tenant } : { tokenId } },
    ]);
  } catch (error) {
    if (error instanceof ShapeError || error instanceof SyntaxError) return [];
    throw error;
  }
}
