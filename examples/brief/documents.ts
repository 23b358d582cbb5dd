import { existsSync } from "node:fs";
import path from "node:path";

import { openSources, type Sources } from "tutti/sources";

const project = path.resolve(import.meta.dirname, "../..");
const ownDocuments = ["README.md", "ARCHITECTURE.md", "STYLE.md", "REVIEW.md", "docs", "decisions"];

/** The given folders; else this project's own documents and what the installed packages say about themselves. */
export async function openDocuments(folders: readonly string[] | undefined): Promise<Sources> {
  if (folders !== undefined) return openSources(folders);
  const own = await openSources(
    ownDocuments.map((name) => path.join(project, name)).filter((file) => existsSync(file)),
  );
  const packages = await openSources([path.join(project, "node_modules")], {
    only: (name) => /(?:^|\/)readme[^/]*$/i.test(name),
  });
  return {
    list: [...own.list, ...packages.list],
    skipped: [...own.skipped, ...packages.skipped],
    find: (id) => own.find(id) ?? packages.find(id),
  };
}
