import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** From an entry of the published package, from one of its chunks, and from the source in the repository. */
const places = ["./console", "../console", "../../../console/dist"];

/** The built console. Nothing where it was not built. */
export function findConsole(): string | undefined {
  const folders = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return folders.find((folder) => existsSync(folder));
}
