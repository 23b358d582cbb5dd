import { TuttiError } from "../base/errors.ts";
import type { RouteSpec } from "../contracts/api/route-spec.ts";
import type { Caller } from "./callers.ts";

/** Under which names the server may be reached, and from which pages. */
export interface Place {
  /** The address people use when it is not the loopback one: `https://tutti.example.org`, behind a proxy that ends TLS. */
  readonly origin: string | undefined;
}

const loopbackHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/u;

/**
 * Lets nobody in who reaches this server under another name (a page that made its own name point here), or from a page of another origin.
 * @throws TuttiError CALLER_REFUSED
 */
export function checkPlace(request: Request, { origin }: Place): void {
  const host = request.headers.get("host") ?? "";
  const isOwn = loopbackHost.test(host) || (origin !== undefined && new URL(origin).host === host);
  if (!isOwn)
    throw toRefused("the host is not this one", "Use the address that `tutti serve` prints, or give it --origin.");
  const from = request.headers.get("origin");
  if (from === null || isSameOrigin(from, host, origin)) return;
  throw toRefused("requests from pages of another origin are not taken", "Open the console that this server serves.");
}

function isSameOrigin(from: string, host: string, origin: string | undefined): boolean {
  return origin !== undefined && new URL(origin).host === host ? from === origin : from === `http://${host}`;
}

/** A cookie comes along whoever's page asks, so whoever changes something by it must come from our own page. @throws TuttiError CALLER_REFUSED */
export function checkOrigin(request: Request, caller: Caller): void {
  if (!caller.isByCookie || request.method === "GET" || request.headers.get("origin") !== null) return;
  throw toRefused("the request does not say from which page it comes", "Send it from the console, or with a token.");
}

/** @throws TuttiError CALLER_REFUSED */
export function checkRights(caller: Caller, { role, sees }: RouteSpec): void {
  if (sees === "whole" && caller.tenant !== undefined)
    throw toRefused(
      `this belongs to no tenant, and ${caller.name} to ${caller.tenant}`,
      "Ask with a token without a tenant.",
    );
  if (role === "anyone" || role === "viewer" || caller.role === "admin" || caller.role === role) return;
  throw toRefused(`${caller.name} is ${caller.role}; this takes ${role}`, "Ask with a token of that role.");
}

function toRefused(message: string, hint: string): TuttiError {
  return new TuttiError("CALLER_REFUSED", message, { hint });
}

/** On every answer. The console loads nothing from elsewhere, and nobody shows it in a frame. */
export const safeHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};
