import { systemClock } from "../../base/clock.ts";
import { isTuttiError, TuttiError } from "../../base/errors.ts";
import type { Tool, ToolHost } from "../../contracts/callable.ts";
import { callTool } from "./call-tool.ts";
import { openCatalog, type Catalog, type McpQuarantine, type McpSkipped, type Offer } from "./catalog.ts";
import { toLink, type Link } from "./link.ts";
import type { McpInput, McpServerOptions } from "./mcp-options.ts";
import { openPinFile, openPinMemory } from "./pins.ts";

/** A server of the Model Context Protocol, and its tools as tools of Tutti. */
export interface McpServer extends AsyncDisposable {
  readonly name: string;
  /** The protocol revision that is spoken with it. */
  readonly protocol: string;
  /** What was accepted, as the server offers it now. */
  readonly tools: readonly Tool[];
  /** What is new or has changed since something was accepted: calling it throws TOOL_QUARANTINED. */
  readonly quarantined: readonly McpQuarantine[];
  /** What can't be used at all. */
  readonly skipped: readonly McpSkipped[];
  /** One tool by the server's name for it, also while it is quarantined. @throws TuttiError DEFINITION_INVALID if it is not offered. */
  tool(remoteName: string): Tool;
  /** A person has looked at a quarantined tool: from now on it is used as it is. @throws TuttiError DEFINITION_INVALID if it is not offered. */
  accept(remoteName: string): Promise<Tool>;
  /** Asks for the list of tools again. */
  refresh(): Promise<void>;
  /** Ends the conversation, and the process if it is one. */
  close(): Promise<void>;
}

/**
 * Reaches a server, by its current protocol or an older one, and takes its tools. A server that goes away is reached again at the next call.
 * @throws TuttiError TOOL_UNAVAILABLE, TOOL_REFUSED or TOOL_ANSWER_INVALID when it can't be reached, DEFINITION_INVALID when the
 * configuration does not fit it, SOURCE_UNREADABLE for a pin file that can't be read or written.
 */
export async function openMcpServer(options: McpServerOptions): Promise<McpServer> {
  refuseBadOptions(options);
  const store = options.pinFile === undefined ? openPinMemory() : openPinFile(options.pinFile, options.name);
  const catalog = await openCatalog(
    options,
    store,
    (remoteName, hash) => (input, host) => runRemote(parts, { remoteName, hash, input, host }),
  );
  const parts: Parts = { options, catalog, link: toLink(options, catalog) };
  try {
    await parts.link.reach(neverAborted);
    refuseUnknownTools(options, catalog);
  } catch (error) {
    await parts.link.close();
    throw error;
  }
  return toServer(parts);
}

interface Parts {
  readonly options: McpServerOptions;
  readonly catalog: Catalog;
  readonly link: Link;
}

/** Opening and refreshing have the limit of the start, and no other. */
const neverAborted = new AbortController().signal;

function toServer({ options: { name }, catalog, link }: Parts): McpServer {
  const find = (remoteName: string): Offer => {
    const offer = catalog.offers.get(remoteName);
    if (offer !== undefined) return offer;
    const skipped = catalog.skipped.find(({ tool }) => tool === remoteName);
    throw new TuttiError(
      "DEFINITION_INVALID",
      `${name} offers no tool ${JSON.stringify(remoteName)} that can be used`,
      {
        hint:
          skipped === undefined
            ? `It offers: ${[...catalog.offers.keys()].join(", ")}.`
            : `It is skipped: ${skipped.why}.`,
      },
    );
  };
  return {
    name,
    get protocol() {
      return link.protocol;
    },
    get tools() {
      return [...catalog.offers.values()].filter(({ standing }) => standing === "accepted").map(({ tool }) => tool);
    },
    get quarantined() {
      return [...catalog.offers.values()].flatMap(toQuarantine);
    },
    get skipped() {
      return catalog.skipped;
    },
    tool: (remoteName) => find(remoteName).tool,
    accept: async (remoteName) => (await catalog.accept(find(remoteName))).tool,
    async refresh() {
      link.doubt();
      await link.reach(neverAborted);
    },
    close: () => link.close(),
    [Symbol.asyncDispose]: () => link.close(),
  };
}

function toQuarantine({ remote, standing, hash }: Offer): McpQuarantine[] {
  if (standing === "accepted") return [];
  return [{ tool: remote.name, why: standing, description: remote.description ?? "", hash }];
}

interface Request {
  readonly remoteName: string;
  /** Of the definition that the tool was made from. */
  readonly hash: string;
  readonly input: McpInput;
  readonly host: ToolHost;
}

async function runRemote(parts: Parts, { remoteName, hash, input, host }: Request): Promise<unknown> {
  const { options, catalog, link } = parts;
  const connection = await link.reach(host.signal);
  const offer = catalog.offers.get(remoteName);
  if (offer === undefined) {
    throw new TuttiError("TOOL_REFUSED", `${options.name} does not offer ${JSON.stringify(remoteName)} any more`, {
      hint: "Look at what the server offers now; its tools are listed anew when it says that they changed.",
    });
  }
  if (offer.standing !== "accepted" || offer.hash !== hash) throw toQuarantined(options.name, offer);
  const inputBytes = Buffer.byteLength(JSON.stringify(input));
  if (inputBytes > offer.contract.inputBytesMax) {
    throw new TuttiError("TOOL_REFUSED", `${options.name}.${remoteName} takes ${offer.contract.inputBytesMax} bytes`, {
      facts: { inputBytes, inputBytesMax: offer.contract.inputBytesMax },
    });
  }
  const { remote, contract } = offer;
  try {
    const clock = options.clock ?? systemClock;
    return await callTool(connection, { settings: options, clock, remote, contract, input, host });
  } catch (error) {
    // The server may know neither the conversation nor the tool as it was.
    if (isTuttiError(error) && error.code === "TOOL_UNAVAILABLE") link.doubt();
    throw error;
  }
}

function toQuarantined(server: string, { remote, standing }: Offer): TuttiError {
  const what = standing === "accepted" ? "was accepted anew, as another than this one" : `is ${standing}`;
  return new TuttiError("TOOL_QUARANTINED", `${server}.${remote.name} ${what} since its tools were accepted`, {
    hint: `Look at \`quarantined\`, then call \`accept(${JSON.stringify(remote.name)})\` and take the tool anew.`,
    facts: { server, tool: remote.name },
  });
}

const namePattern = /^[A-Za-z][\w-]{0,23}$/;

// The types rule most of this out; plain JavaScript and a configuration file do not.
function refuseBadOptions(options: McpServerOptions): void {
  const refuse = (what: string, hint: string): never => {
    throw new TuttiError("DEFINITION_INVALID", `MCP server ${JSON.stringify(options.name)}: ${what}`, { hint });
  };
  if (!namePattern.test(options.name)) {
    refuse("its name can't be used", "Start with a letter; letters, digits, _ and - only, at most 24.");
  }
  if ("url" in options === "command" in options) refuse("it needs a command or a url", "Give one of the two.");
  if ("url" in options && !/^https?:\/\//i.test(options.url))
    refuse("its url is no http address", "Give a full address.");
  for (const limit of ["startTimeoutMs", "callTimeoutMs", "messageBytesMax"] as const) {
    const value = options[limit];
    if (value !== undefined && !(value > 0)) refuse(`its ${limit} is ${value}`, "Give a positive number.");
  }
}

function refuseUnknownTools({ name, tools = {} }: McpServerOptions, catalog: Catalog): void {
  const skipped = new Set(catalog.skipped.map(({ tool }) => tool));
  const unknown = Object.keys(tools).filter((tool) => !catalog.offers.has(tool) && !skipped.has(tool));
  if (unknown.length === 0) return;
  throw new TuttiError(
    "DEFINITION_INVALID",
    `${name} offers no tool ${unknown.map((tool) => JSON.stringify(tool)).join(", ")}`,
    { hint: `Use the server's own names. It offers: ${[...catalog.offers.keys()].join(", ")}.` },
  );
}
