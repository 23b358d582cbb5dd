import { readFileSync } from "node:fs";
import path from "node:path";

import { anything } from "../../packages/tutti/src/base/shape.ts";
import type { Tool } from "../../packages/tutti/src/contracts/callable.ts";
import { schemaOf } from "../../packages/tutti/src/contracts/schema.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";

interface RecordedServer {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly licence: string;
  readonly tools: readonly {
    readonly name: string;
    readonly description: string;
    readonly inputSchema: Record<string, unknown>;
  }[];
}

/** A request as a person puts it, with the tools any of which would be right. Written before the ranking was tuned. */
export interface Request {
  readonly request: string;
  readonly right: readonly string[];
}

/** What twelve MCP servers from npm answered to `tools/list`, each started once over stdio; as they said it, but for one hyphenated word. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this folder, in the shape that is said above
export const recordedServers = readJson("mcp-tools.json") as readonly RecordedServer[];
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this folder, in the shape that is said above
export const requests = readJson("requests.json") as readonly Request[];
/** Written when the ranking was finished: what it was not tuned to. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this folder, in the shape that is said above
export const laterRequests = readJson("later-requests.json") as readonly Request[];

/** The recorded tools as tools of ours, named `server.tool`. Calling one gives back its input. */
export function toRecordedTools(): Tool[] {
  return recordedServers.flatMap((server) =>
    server.tools.map(({ name, description, inputSchema }) => {
      const schema = schemaOf(anything, inputSchema);
      return tool({
        name: `${server.name}.${name}`,
        does: description.trim() === "" ? name : description,
        input: schema,
        output: schema,
        effect: "read",
        run: (input) => input,
      });
    }),
  );
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, file), "utf8"));
}
