import { inspect } from "node:util";

import { TuttiError } from "../base/errors.ts";
import { toHandle, watchSecret } from "../base/known-secrets.ts";
import type { Secret } from "../contracts/secret.ts";
import { readSecret, type SecretSource } from "./secret-source.ts";

export type { SecretSource } from "./secret-source.ts";

export interface SecretDefinition {
  /** Letters, digits and `_ . -`, at most 64, the first a letter. It is what ledgers and logs show. */
  readonly name: string;
  /** Read at every request, so that a value that was replaced is used at once. */
  readonly from: SecretSource;
  /** Who may be sent it: `crm.example.com`, on any port, or `crm.example.com:8443`, on this one. No wildcards. */
  readonly hosts: readonly string[];
}

const namePattern = /^[A-Za-z][\w.-]{0,63}$/;

/**
 * Declares a secret: where its value is, and which hosts may be sent it. The value itself stays out of reach until an adapter asks for it.
 * @throws TuttiError DEFINITION_INVALID
 */
export function secret(definition: SecretDefinition): Secret {
  const { name, from, hosts } = definition;
  const problem = findProblem(definition);
  if (problem !== undefined) {
    throw new TuttiError("DEFINITION_INVALID", `secret ${JSON.stringify(name)}: ${problem.what}`, {
      hint: problem.hint,
    });
  }
  // Looked for from now on, so that it is found too when somebody reads the variable past this handle.
  if (typeof from === "object" && "env" in from) watchSecret(name, process.env[from.env] ?? "");
  return new Handle(
    name,
    from,
    hosts.flatMap((host) => toHost(host) ?? []),
  );
}

class Handle implements Secret {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly #from: SecretSource;

  constructor(name: string, from: SecretSource, hosts: readonly string[]) {
    this.name = name;
    this.hosts = hosts;
    this.#from = from;
  }

  async reveal(url: string | URL, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    refuseMisplaced(this, url);
    const value = await readSecret(this.name, this.#from, signal);
    watchSecret(this.name, value);
    return value;
  }

  // Whoever prints it, sends it or joins it to a text by mistake gets the handle: nothing leaks, and the place shows what went wrong.
  toString(): string {
    return toHandle(this.name);
  }

  toJSON(): string {
    return toHandle(this.name);
  }

  [Symbol.toPrimitive](): string {
    return toHandle(this.name);
  }

  [inspect.custom](): string {
    return toHandle(this.name);
  }
}

/** @throws TuttiError SECRET_MISPLACED */
function refuseMisplaced({ name, hosts }: Secret, url: string | URL): void {
  const target = URL.parse(String(url));
  if (target === null)
    throw toMisplaced(name, "was asked for without a valid address", "Give the address of the request.");
  const { protocol, host, hostname } = target;
  if (!hosts.includes(hostname) && !hosts.includes(`${hostname}:${toPort(target)}`)) {
    throw toMisplaced(name, `is not meant for ${host === "" ? protocol : host}`, `It may go to: ${hosts.join(", ")}.`);
  }
  if (protocol === "https:" || protocol === "wss:" || isLoopback(hostname)) return;
  throw toMisplaced(
    name,
    `would go to ${host} unencrypted (${protocol})`,
    "Use https; only this machine is trusted without.",
  );
}

function toPort({ port, protocol }: URL): string {
  if (port !== "") return port;
  return protocol === "https:" || protocol === "wss:" ? "443" : "80";
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function toMisplaced(name: string, what: string, hint: string): TuttiError {
  return new TuttiError("SECRET_MISPLACED", `${toHandle(name)} ${what}`, { hint, facts: { secret: name } });
}

interface Problem {
  readonly what: string;
  readonly hint: string;
}

// The types rule most of this out; plain JavaScript and casts do not.
function findProblem({ name, from, hosts }: SecretDefinition): Problem | undefined {
  if (typeof name !== "string" || !namePattern.test(name)) {
    return {
      what: "its name can't be used",
      hint: "Start with a letter and use letters, digits and _ . - only, at most 64.",
    };
  }
  if (!isSource(from)) {
    return {
      what: "it does not say where its value is",
      hint: 'Give `from` a variable ({ env: "CRM_TOKEN" }), a file ({ file: "/run/secrets/crm" }) or a function.',
    };
  }
  if (!Array.isArray(hosts) || hosts.length === 0)
    return { what: "it names no host", hint: 'Say who may be sent it: hosts: ["crm.example.com"].' };
  const wrong = hosts.findIndex((host) => toHost(host) === undefined);
  if (wrong === -1) return undefined;
  return {
    what: `${JSON.stringify(hosts[wrong])} is not a host`,
    hint: "Name a host alone, without scheme, path or wildcard: crm.example.com or crm.example.com:8443.",
  };
}

function isSource(from: unknown): from is SecretSource {
  if (typeof from === "function") return true;
  if (typeof from !== "object" || from === null) return false;
  const place = "env" in from ? from.env : "file" in from ? from.file : undefined;
  return typeof place === "string" && place !== "";
}

const hostPattern = /^(?<hostname>\[[\da-f:.]+\]|[^\s:/\\?#@*[\]]+)(?<port>:\d{1,5})?$/iu;

/** A host as an address shows it: lower case, and names beyond ASCII as they are sent. */
function toHost(host: unknown): string | undefined {
  const { hostname, port = "" } = (typeof host === "string" ? hostPattern.exec(host)?.groups : undefined) ?? {};
  const shown = hostname === undefined ? undefined : URL.parse(`https://${hostname}`)?.hostname;
  return shown === undefined ? undefined : `${shown}${port}`;
}
