import { lookup as lookUp } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";

import { describeThrown, TuttiError } from "../../base/errors.ts";
import { isPublicAddress } from "./public-address.ts";

export interface FoundAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds all addresses of a host. */
export type Resolve = (host: string) => Promise<readonly FoundAddress[]>;

export const resolveHost: Resolve = (host) => lookUp(host, { all: true, order: "verbatim" });

/**
 * Checks where an address on the web leads before anything is sent there. The connection is then made to the very addresses that were
 * checked: a name that answers differently when it is asked again gains nothing by that.
 * @throws TuttiError TOOL_FAILED for what may not be read, TOOL_UNAVAILABLE when the host can't be found.
 */
export async function toSafeLookup(url: URL, guard: AddressGuard, signal: AbortSignal): Promise<LookupFunction> {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw toRefusal(`${url.protocol}// is not the web`, "Only http and https can be fetched.");
  if (url.username !== "" || url.password !== "")
    throw toRefusal("an address with a name or password in it is not fetched", "Leave the credentials out.");
  const host = url.hostname.replaceAll(/^\[|\]$/g, "");
  const addresses = await findAddresses(host, guard.resolve, signal);
  if (!guard.allowed.has(url.hostname) && !guard.allowed.has(url.host)) {
    // One private address among public ones is enough: the next connection might go there.
    if (!addresses.every(({ address }) => isPublicAddress(address)))
      throw toRefusal(
        `${url.hostname} is not on the public internet`,
        "Only public pages can be fetched; a private host has to be allowed by name.",
      );
  }
  return toPinnedLookup(addresses);
}

export interface AddressGuard {
  readonly resolve: Resolve;
  /** Hosts, with a port or without, that need not be public. */
  readonly allowed: ReadonlySet<string>;
}

async function findAddresses(host: string, resolve: Resolve, signal: AbortSignal): Promise<readonly FoundAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  let found: readonly FoundAddress[];
  try {
    found = await Promise.race([resolve(host), toRejection(signal)]);
  } catch (error) {
    throw toUnknownHost(host, describeThrown(error));
  }
  if (found.length === 0) throw toUnknownHost(host, "it has no address");
  return found;
}

// The system's resolver can't be stopped, only left alone.
function toRejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new Error("there was no answer in time"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

function toUnknownHost(host: string, why: string): TuttiError {
  return new TuttiError("TOOL_UNAVAILABLE", `the host ${host} can't be found: ${why}`, {
    hint: "Check the address.",
    facts: { host },
  });
}

/** Answers with what was found before, and never asks again. */
function toPinnedLookup(found: readonly FoundAddress[]): LookupFunction {
  return (_, options, callback) => {
    const [first] = found;
    if (options.all === true) callback(null, [...found]);
    else callback(null, first?.address ?? "", first?.family);
  };
}

function toRefusal(what: string, hint: string): TuttiError {
  return new TuttiError("TOOL_FAILED", what, { hint });
}
