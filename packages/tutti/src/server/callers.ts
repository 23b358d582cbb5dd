import { randomBytes } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import type { Role } from "../contracts/api/commands.ts";
import type { Issuer } from "../identity/issuer.ts";
import { openSessions, type HeldSession, type Sessions } from "./sessions.ts";
import type { TokenRecord, Tokens } from "./tokens.ts";

/** Who asks. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
  readonly tenant: string | undefined;
  /** A browser sends its cookie whoever's page asks, so such a request has to prove that it comes from ours. */
  readonly isByCookie: boolean;
}

/** Tells who asks, and holds the sessions of browsers. */
export interface Callers {
  /** @throws TuttiError CALLER_UNKNOWN, ISSUER_UNREACHABLE */
  find(request: Request): Promise<Caller>;
  /** Turns a token, or the word that opens a session once, into a cookie. @throws TuttiError CALLER_UNKNOWN, ISSUER_UNREACHABLE */
  openSession(token: string): Promise<{ readonly caller: Caller; readonly cookie: string }>;
  /** Returns the cookie that takes the session back. */
  closeSession(request: Request): string;
  /** A word that opens one session as `caller`, within this time: a minute by default. */
  makeOnceWord(caller: Omit<Caller, "isByCookie">, lifeMs?: number): string;
}

const cookieName = "tutti_session";
const sessionMs = 12 * 3_600_000;
const onceMs = 60_000;

export interface CallerOptions {
  readonly tokens: Tokens;
  /** Whose tokens count besides. */
  readonly issuer?: Issuer | undefined;
  readonly clock: Clock;
  /** The console is reached over TLS, so its cookie may be too. */
  readonly isSecure: boolean;
  /** In memory by default. */
  readonly sessions?: Sessions;
}

export function openCallers(options: CallerOptions): Callers {
  const { tokens, issuer, clock, isSecure, sessions = openSessions(undefined) } = options;
  const onceWords = new Map<string, HeldSession>();
  const take = (held: HeldSession | undefined): Omit<Caller, "isByCookie"> | undefined => {
    if (held === undefined || held.untilMs < clock.now()) return undefined;
    if (!("tokenId" in held.who)) return held.who;
    const record = tokens.findById(held.who.tokenId);
    return record === undefined ? undefined : toCaller(record);
  };
  /** Whom a token of ours, or of the issuer, speaks for, and how long a session of it may be. */
  const findBearer = async (token: string, now: number): Promise<HeldSession | undefined> => {
    const untilMs = now + sessionMs;
    const record = tokens.find(token);
    if (record !== undefined) return { who: { tokenId: record.id }, untilMs };
    if (issuer === undefined || !isForIssuer(token)) return undefined;
    const { expiresAt, ...who } = await issuer.verify(token);
    return { who, untilMs: Math.min(untilMs, expiresAt) };
  };
  const toCookie = (value: string, maxAgeMs: number): string =>
    `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(maxAgeMs / 1_000)}${isSecure ? "; Secure" : ""}`;
  return {
    async find(request) {
      const bearer = /^Bearer (?<token>\S+)$/u.exec(request.headers.get("authorization") ?? "")?.groups?.["token"];
      if (bearer !== undefined) {
        const caller = take(await findBearer(bearer, clock.now()));
        if (caller !== undefined) return { ...caller, isByCookie: false };
        throw toUnknown("the token is wrong or was revoked");
      }
      const cookie = readCookie(request);
      const caller = cookie === undefined ? undefined : take(sessions.find(sha256(cookie)));
      if (caller !== undefined) return { ...caller, isByCookie: true };
      throw toUnknown(cookie === undefined ? "the request brings no token" : "the session is over");
    },
    async openSession(word) {
      const now = clock.now();
      const once = onceWords.get(sha256(word));
      onceWords.delete(sha256(word));
      // A word that came in time opens a session of the usual length.
      const held =
        take(once) === undefined || once === undefined
          ? await findBearer(word, now)
          : { ...once, untilMs: now + sessionMs };
      const caller = take(held);
      if (held === undefined || caller === undefined)
        throw toUnknown("the token is wrong, was revoked or was used before");
      const value = randomBytes(32).toString("base64url");
      sessions.add(sha256(value), held);
      return { caller: { ...caller, isByCookie: true }, cookie: toCookie(value, held.untilMs - now) };
    },
    closeSession(request) {
      const cookie = readCookie(request);
      if (cookie !== undefined) sessions.remove(sha256(cookie));
      return toCookie("", 0);
    },
    makeOnceWord(caller, lifeMs = onceMs) {
      const word = randomBytes(32).toString("base64url");
      onceWords.clear(); // the newest is the one that counts
      onceWords.set(sha256(word), { who: caller, untilMs: clock.now() + lifeMs });
      return word;
    },
  };
}

/** A word of ours has no dots. */
function isForIssuer(token: string): boolean {
  return token.split(".").length === 3;
}

function toCaller({ name, role, tenant }: TokenRecord): Omit<Caller, "isByCookie"> {
  return { name, role, tenant };
}

function readCookie(request: Request): string | undefined {
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1);
}

function toUnknown(why: string): TuttiError {
  return new TuttiError("CALLER_UNKNOWN", why, {
    hint: "Send `Authorization: Bearer <token>`; `tutti token create` makes tokens.",
  });
}
