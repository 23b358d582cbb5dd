import path from "node:path";

import type { Tool } from "../contracts/callable.ts";
import { codeTool } from "./code/code-tool.ts";
import { chartTool, diagramTool } from "./image/drawing-tools.ts";
import { folderKeeper } from "./media.ts";
import { publishFolder } from "./publish/publish-folder.ts";
import { folderStore } from "./storage/folder-store.ts";
import { storageTools } from "./storage/storage-tools.ts";
import { animationTool } from "./video/animation-tool.ts";
import { folderSearch } from "./web/local/folder-search.ts";
import { webFetch } from "./web/web-fetch.ts";
import { webSearch } from "./web/web-search.ts";

export interface BuiltInOptions {
  /** `documents`, `media`, `store` and `site` are in it; `.tutti` by default. */
  readonly folder?: string;
}

/**
 * Every capability that needs neither a key nor a service: search in documents, fetch, code, charts, diagrams, moving charts, storage,
 * publishing. They are what `tutti tool` offers where nothing is configured. To change one, put another of its name into its place.
 */
export function builtInTools({ folder = ".tutti" }: BuiltInOptions = {}): readonly Tool[] {
  const keeper = folderKeeper(path.join(folder, "media"));
  const storage = storageTools(folderStore({ folder: path.join(folder, "store") }));
  const tools = [
    webSearch({
      providers: [folderSearch([path.join(folder, "documents")])],
      does: "Searches the documents of this project and returns pages with title, address and a few of their words.",
    }),
    webFetch(),
    codeTool(),
    chartTool({ keeper }),
    diagramTool({ keeper }),
    animationTool({ keeper }),
    storage.put,
    storage.get,
    storage.head,
    publishFolder({ folder: path.join(folder, "site") }),
  ];
  return tools;
}
