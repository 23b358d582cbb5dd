// Takes the pictures of the console that README and docs show, from a real server with written sample runs, at the three widths that are
// promised: `node scripts/run.mjs scripts/draw-console.ts`. Needs a browser, as `npm test` installs one.
import { writeFileSync } from "node:fs";
import path from "node:path";

import type { Page } from "playwright-core";

import { openConsoleStand, refunds } from "../test/console/console-stand.ts";
import { writeRun } from "../test/console/write-run.ts";
import { buildConsole } from "./build-console.mjs";

interface Picture {
  readonly name: string;
  readonly place: string;
  /** What is there when the page is ready. */
  readonly ready: string;
}

const widths = [
  { width: 1_440, height: 900, suffix: "" },
  { width: 1_024, height: 768, suffix: "-1024" },
  { width: 390, height: 844, suffix: "-390" },
] as const;

const pictures: readonly Picture[] = [
  { name: "console-score", place: "/runs/market-brief?step=/review/decision", ready: ".reasons" },
  { name: "console-inbox", place: "/inbox", ready: ".approval" },
];

const docs = path.join(import.meta.dirname, "..", "docs");
const stand = await openConsoleStand();
try {
  buildConsole();
  await writeRun(stand.tutti.ledger, { id: "market-brief", steps: 106, end: "done" });
  for (const order of ["981", "1024"]) {
    const handle = await stand.tutti.start(refunds, { order, euros: 480 }, { id: `refund-${order}` });
    await handle.settled();
  }
  const page = await stand.open("/");
  for (const picture of pictures) await take(page, picture);
} finally {
  await stand.close();
}

async function take(page: Page, { name, place, ready }: Picture): Promise<void> {
  for (const { width, height, suffix } of widths) {
    await page.setViewportSize({ width, height });
    await page.goto(stand.url() + place);
    await page.locator(ready).first().waitFor();
    await page.evaluate("document.fonts.ready.then(() => undefined)");
    const png = await page.screenshot({ animations: "disabled" });
    writeFileSync(path.join(docs, `${name}${suffix}.webp`), await toWebp(page, png));
  }
}

/** A third of the bytes, made by the browser that took it, on a page without the console's rules. */
async function toWebp(page: Page, png: Buffer): Promise<Buffer> {
  const blank = await page.context().newPage();
  const url: unknown = await blank.evaluate(`(async () => {
    const image = new Image();
    image.src = "data:image/png;base64,${png.toString("base64")}";
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.85);
  })()`);
  await blank.close();
  return Buffer.from(String(url).split(",")[1] ?? "", "base64");
}
