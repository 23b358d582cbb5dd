import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import type { NewEntry } from "../../packages/tutti/src/ledger/ledger.ts";
import { buildConsole } from "../../scripts/build-console.mjs";
import { verifies } from "../verifies.ts";
import { hasBrowser, openConsoleStand, refunds, waits, type ConsoleStand } from "./console-stand.ts";
import { audit, countElements, elementsMax } from "./page-checks.ts";
import { writeRun } from "./write-run.ts";

const widths = [1_440, 1_024, 390] as const;
const height = 900;
/** Nothing breaks it by itself. */
const longName = "Donaudampfschifffahrtsgesellschaft".repeat(3);
const longWord = longName.repeat(3);

/** A stand and the one page in which all its screens are shown. */
interface Shown {
  readonly stand: ConsoleStand;
  readonly page: Page;
}

let full: Shown;
let empty: Shown;

async function show(write: (tutti: Tutti) => Promise<unknown>): Promise<Shown> {
  const stand = await openConsoleStand();
  await write(stand.tutti);
  return { stand, page: await stand.open("/") };
}

beforeAll(async () => {
  buildConsole();
  if (!hasBrowser) return;
  empty = await show(({ ledger }) => writeRun(ledger, { id: "bare", steps: 0, end: "open" }));
  full = await show(writeHuge);
});

afterAll(async () => {
  await empty?.stand.close();
  await full?.stand.close();
});

/** More of everything than a screen can hold. */
async function writeHuge(tutti: Tutti): Promise<void> {
  const { ledger } = tutti;
  await writeRun(ledger, { id: "huge", steps: 20_000, end: "failed", says: longWord });
  for (let run = 0; run < 300; run++) await writeRun(ledger, { id: `${longName}-${run}`, steps: 12, end: "done" });
  const log = await writeRun(ledger, { id: "many", steps: 0, end: "open" });
  const entries: NewEntry[] = [];
  for (let count = 0; count < 400; count++) {
    const agent = `agent-${count}-${longName}`;
    const path = `/${agent}`;
    const uses = { document: `${longName}/${count}`, version: 1 };
    entries.push(
      { kind: "agent-started", key: path, body: JSON.stringify({ agent, version: "1" }) },
      {
        kind: "document-committed",
        key: `${path}/doc`,
        body: JSON.stringify({ reads: {}, writes: [{ ...uses, value: { note: longWord } }] }),
      },
      {
        kind: "scope-closed",
        key: path,
        body: JSON.stringify({ agent: `${agent}@1`, out: {}, confidence: { value: 0.4, source: "check" } }),
      },
    );
  }
  await Promise.all(entries.map((entry) => log.append(entry)));
  await tutti.start(waits, {}, { id: "onboarding" });
  for (let order = 0; order < 150; order++) await tutti.start(refunds, { order: `${longWord} ${order}`, euros: 1 });
}

/** Where each screen is, and what is there when it has been drawn. */
const views = {
  empty: {
    "/": "ol.runs",
    "/?q=nothing-like-this": ".notice",
    "/inbox": ".notice",
    "/agents": ".notice",
    "/documents": ".notice",
    "/ledger": ".lines",
    "/runs/bare": ".notice",
    "/runs/bare/steer": ".acts",
    "/runs/bare/channels": ".notice",
    "/runs/bare/ledger": ".lines",
    "/runs/nobody": ".notice",
    "/nowhere": ".notice",
  },
  huge: {
    "/": "ol.runs",
    "/inbox": ".approval",
    "/agents": "table",
    "/documents": ".inbox-list li",
    [`/documents?document=${longName}/7`]: ".lines",
    "/ledger": ".lines",
    "/runs/huge": ".step",
    "/runs/huge?step=/review/decision": ".reasons",
    "/runs/huge?seq=10000": ".step",
    "/runs/huge/steer": ".card",
    "/runs/huge/channels": ".lines",
    "/runs/huge/ledger": ".lines",
    "/runs/many": ".step",
    "/runs/many/channels": "table",
    "/runs/onboarding/steer": ".acts",
  },
} as const;

/** What is wrong with the page as it is, at every width. Colours are the same at all of them, and axe's other rules do not look at colours. */
async function findFaults(page: Page): Promise<readonly string[]> {
  const faults: string[] = [];
  await page.emulateMedia({ colorScheme: "light" });
  for (const width of widths) {
    await page.setViewportSize({ width, height });
    const elements = await countElements(page);
    const overhang: number = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    if (overhang > 0) faults.push(`${width}: ${overhang} pixels stick out on the right`);
    if (elements > elementsMax) faults.push(`${width}: ${elements} elements`);
    else faults.push(...(await audit(page)).map((violation) => `${width}: ${violation}`));
  }
  await page.emulateMedia({ colorScheme: "dark" });
  faults.push(...(await audit(page, ["color-contrast"])).map((violation) => `dark: ${violation}`));
  return faults;
}

const cases = Object.entries(views).flatMap(([what, paths]) =>
  Object.entries(paths).map(([path, ready]) => ({ what, path, ready })),
);

test.skipIf(!hasBrowser).each(cases)(
  "$what $path: on desks and phones, by day and by night, axe finds nothing, nothing sticks out, and the page stays small",
  verifies("O11"),
  async ({ what, path, ready }) => {
    const { stand, page } = what === "empty" ? empty : full;
    await page.goto(stand.url() + path);
    await page.locator(ready).first().waitFor();
    expect(await findFaults(page)).toEqual([]);
    expect(stand.faults).toEqual([]);
  },
);
