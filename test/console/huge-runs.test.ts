import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { buildConsole } from "../../scripts/build-console.mjs";
import { verifies } from "../verifies.ts";
import { hasBrowser, openConsoleStand, type ConsoleStand } from "./console-stand.ts";
import { countElements, elementsMax, findPlaces } from "./page-checks.ts";
import { toRound, writeRun } from "./write-run.ts";

const roundEntries = toRound(0).length;
/** A round has 38 steps. */
const rounds = { "steps-200": 6, "steps-2000": 54, "steps-20000": 530 } as const;
/** How much longer than the score of 200 steps one of 2,000 or 20,000 may take to be drawn. */
const slowerMax = 3;
const paintings = 3;

let stand: ConsoleStand;
let huge: Awaited<ReturnType<typeof writeRun>>;

beforeAll(async () => {
  buildConsole();
  if (!hasBrowser) return;
  stand = await openConsoleStand();
  for (const [id, count] of Object.entries(rounds)) {
    huge = await writeRun(stand.tutti.ledger, { id, steps: count * roundEntries, end: "open" });
  }
});

afterAll(async () => {
  await stand?.close();
});

/** From the navigation to the frame in which the first steps stand, in the page's own time. */
async function paint(page: Page, run: string): Promise<number> {
  await page.goto(`${stand.url()}/runs/${run}`);
  await page.locator(".step").first().waitFor();
  return page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))",
  );
}

test.skipIf(!hasBrowser)(
  "scores of 2,000 and of 20,000 steps are drawn within three times the time of 200, with as few elements",
  verifies("O11"),
  async () => {
    const page = await stand.open("/");
    const runs = ["steps-200", "steps-2000", "steps-20000"] as const;
    const quickest = new Map<string, number>();
    for (let round = 0; round <= paintings; round++) {
      for (const run of runs) {
        const took = await paint(page, run);
        // The first time both sides read what they keep.
        if (round > 0) quickest.set(run, Math.min(took, quickest.get(run) ?? took));
        expect(await countElements(page)).toBeLessThan(elementsMax);
      }
    }
    const [small = 0, ...larger] = runs.map((run) => quickest.get(run) ?? 0);
    for (const took of larger) expect(took).toBeLessThan(slowerMax * small);
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "in a run of 20,000 steps the end is a scroll away, and nothing there moves when steps come",
  verifies("O11"),
  async () => {
    const page = await stand.open("/runs/steps-20000");
    await page.locator(".step").first().waitFor();
    const score = await page.evaluate<{ readonly steps: number }>(
      "fetch('/api/runs/steps-20000/score').then((answer) => answer.json())",
    );
    expect(score.steps).toBeGreaterThanOrEqual(20_000);
    const last = toRound(rounds["steps-20000"] - 1).at(-1)?.key ?? "";
    const lastStep = page.locator(`.step[data-path="${last}"]`);
    const toEnd = "void document.querySelector('.score').scrollTo({ top: 1e9 })";
    // Phases turn out higher than was thought when they are loaded, so the end may be further down than the first time.
    await expect
      .poll(async () => {
        await page.evaluate(toEnd);
        return lastStep.count();
      })
      .toBe(1);
    await lastStep.scrollIntoViewIfNeeded();
    const newest = 1 + rounds["steps-20000"] * roundEntries;
    await page.getByText(`${newest.toLocaleString("en")} of ${newest.toLocaleString("en")}`).waitFor();
    // Phases in view are loaded when nothing of them is new any more.
    let before = await findPlaces(page);
    await expect
      .poll(async () => {
        const earlier = before;
        before = await findPlaces(page);
        return last in before && JSON.stringify(before) === JSON.stringify(earlier);
      })
      .toBe(true);
    for (const entry of toRound(rounds["steps-20000"])) await huge.append(entry);
    const then = (newest + roundEntries).toLocaleString("en");
    await page.getByText(`${then} of ${then}`).waitFor();
    const after = await findPlaces(page);
    expect(Object.keys(before).filter((path) => before[path] !== after[path])).toEqual([]);
    expect(await countElements(page)).toBeLessThan(elementsMax);
    await page.context().close();
    expect(stand.faults).toEqual([]);
  },
);
