import { readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { toPictures } from "./docs/pictures.ts";
import { root } from "./tidy/repository.ts";

test.each(Object.entries(toPictures()))("%s is the picture that the code draws", (file, svg) => {
  expect(readFileSync(path.join(root, file), "utf8")).toBe(svg);
});
