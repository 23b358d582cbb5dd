import type { Tool as RemoteTool } from "@modelcontextprotocol/client";

import { ShapeError } from "../../base/shape.ts";
import type { Tool } from "../../contracts/callable.ts";
import { decideContract, type RemoteContract } from "./contract.ts";
import type { McpSettings } from "./mcp-options.ts";
import { hashOf, type Pins, type PinStore } from "./pins.ts";
import { findToolProblem, toTool, toWithheldTool, type RunRemote } from "./remote-tool.ts";

/** A tool that a server offers now. */
export interface Offer {
  readonly remote: RemoteTool;
  /** Of everything that was accepted, or would be. */
  readonly hash: string;
  readonly contract: RemoteContract;
  readonly standing: "accepted" | "new" | "changed";
  readonly tool: Tool;
}

/** A tool that is not used until a person has looked at it. */
export interface McpQuarantine {
  /** The server's name for it. */
  readonly tool: string;
  readonly why: "new" | "changed";
  /** What the server says about it now. Not checked by anybody: show it to people only. */
  readonly description: string;
  readonly hash: string;
}

/** A tool that can't be used at all, and why. */
export interface McpSkipped {
  readonly tool: string;
  readonly why: string;
}

/** What a server offers, and what of it was accepted. */
export interface Catalog {
  readonly offers: ReadonlyMap<string, Offer>;
  readonly skipped: readonly McpSkipped[];
  /** Takes a new list of the server. The first one ever is accepted as a whole. */
  update(list: readonly RemoteTool[]): Promise<void>;
  /** Resolves when it is kept. */
  accept(offer: Offer): Promise<Offer>;
}

/** Makes what a tool does when it is called, for the definition with this hash. */
export type ToRun = (remoteName: string, hash: string) => RunRemote;

export async function openCatalog(settings: McpSettings, store: PinStore, toRun: ToRun): Promise<Catalog> {
  let pins: Pins | undefined = await store.read();
  let offers = new Map<string, Offer>();
  let skipped: McpSkipped[] = [];
  const toOffer = (remote: RemoteTool, known: Pins): Offer => {
    const hash = hashOf(remote);
    const standing = toStanding(known[remote.name], hash);
    const before = offers.get(remote.name);
    if (before?.hash === hash && before.standing === standing) return before;
    const contract = decideContract(remote, settings);
    const parts = { settings, contract, run: toRun(remote.name, hash) };
    const tool = standing === "accepted" ? toTool(remote, parts) : toWithheldTool(remote.name, parts);
    return { remote, hash, contract, standing, tool };
  };
  const keep = async (next: Pins): Promise<Pins> => {
    await store.write(next);
    pins = next;
    return next;
  };
  return {
    get offers() {
      return offers;
    },
    get skipped() {
      return skipped;
    },
    async update(list) {
      const { usable, unusable } = sortOut(list, settings);
      const known = pins ?? (await keep(Object.fromEntries(usable.map((remote) => [remote.name, hashOf(remote)]))));
      offers = new Map(usable.map((remote) => [remote.name, toOffer(remote, known)]));
      skipped = unusable;
    },
    async accept({ remote, hash }) {
      const accepted = toOffer(remote, await keep({ ...pins, [remote.name]: hash }));
      if (offers.get(remote.name)?.hash === hash) offers.set(remote.name, accepted);
      return accepted;
    },
  };
}

function toStanding(pinned: string | undefined, hash: string): Offer["standing"] {
  if (pinned === undefined) return "new";
  return pinned === hash ? "accepted" : "changed";
}

interface Sorted {
  readonly usable: RemoteTool[];
  readonly unusable: McpSkipped[];
}

function sortOut(list: readonly RemoteTool[], settings: McpSettings): Sorted {
  const sorted: Sorted = { usable: [], unusable: [] };
  const names = new Set<string>();
  for (const remote of list) {
    const why = names.has(remote.name) ? "it is offered twice" : findProblem(remote, settings);
    names.add(remote.name);
    if (why === undefined) sorted.usable.push(remote);
    else sorted.unusable.push({ tool: remote.name, why });
  }
  return sorted;
}

function findProblem(remote: RemoteTool, settings: McpSettings): string | undefined {
  try {
    decideContract(remote, settings);
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
  return findToolProblem(remote);
}
