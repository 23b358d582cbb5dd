import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The built console: in the published package, or beside it in the repository. Nothing where it was not built. */
export function findConsole(): string | undefined {
  const places = ["../console", "../../../console/dist"].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return places.find((folder) => existsSync(folder));
}
