import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Ledger, NewEntry } from "../../packages/tutti/src/ledger/ledger.ts";
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

let full: ConsoleStand;
let empty: ConsoleStand;

beforeAll(async () => {
  buildConsole();
  if (!hasBrowser) return;
  empty = await openConsoleStand();
  await writeRun(empty.tutti.ledger, { id: "bare", steps: 0, end: "open" });
  full = await openConsoleStand();
  await writeHuge(full.tutti.ledger);
  await full.tutti.start(waits, {}, { id: "onboarding" });
  for (let order = 0; order < 250; order++)
    await (await full.tutti.start(refunds, { order: `${longWord} ${order}`, euros: 1 })).settled();
});

afterAll(async () => {
  await empty?.close();
  await full?.close();
});

/** More of everything than a screen can hold. */
async function writeHuge(ledger: Ledger): Promise<void> {
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

/** What is wrong with the page as it is, at this width and in these colours. */
async function findFaults(page: Page, where: string, colorScheme: "light" | "dark"): Promise<readonly string[]> {
  await page.emulateMedia({ colorScheme });
  const faults: string[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height });
    const t0 = performance.now();
    const n = await countElements(page); if (n > elementsMax) { console.log(where, width, n); return [`${where} ${n} elements`]; }
    const violations = await audit(page, colorScheme === "dark" ? ["color-contrast"] : undefined);
    faults.push(...violations.map((violation) => `${where} ${colorScheme} ${width}: ${violation}`));
    console.log(where, colorScheme, width, performance.now() - t0, n, violations);
    const overhang: number = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    if (overhang > 0) faults.push(`${where} ${width}: ${overhang} pixels stick out on the right`);
    const elements = await countElements(page);
    if (elements > elementsMax) faults.push(`${where} ${width}: ${elements} elements`);
  }
  return faults;
}

test.skipIf(!hasBrowser).each(["empty", "huge"] as const)(
  "every screen, %s, on desks and phones, by day and by night: axe finds nothing, nothing sticks out, and the page stays small",
  verifies("O11"),
  async (what) => {
    const stand = what === "empty" ? empty : full;
    const page = await stand.open("/");
    const faults: string[] = [];
    for (const [path, ready] of Object.entries(views[what])) {
      await page.goto(stand.url() + path);
      await page.locator(ready).first().waitFor({ timeout: 5000 }).catch(async () => { faults.push(path + ": " + (await page.locator("#screen").innerText()).slice(0, 600)); });
      faults.push(...(await findFaults(page, path, "light")), ...(await findFaults(page, path, "dark")));
    }
    expect(faults).toEqual([]);
    expect(stand.faults).toEqual([]);
    await page.context().close();
  },
);
