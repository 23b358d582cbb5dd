// Draws the pictures of docs/image-video.md. A test fails when one is stale.
import { writeFileSync } from "node:fs";
import path from "node:path";

import { toPictures } from "../test/docs/pictures.ts";

for (const [file, svg] of Object.entries(toPictures())) {
  writeFileSync(path.resolve(import.meta.dirname, "..", file), svg);
}
