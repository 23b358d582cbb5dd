import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";

import { root } from "../tidy/repository.ts";

const axeSource = readFileSync(join(root, "node_modules", "axe-core", "axe.min.js"), "utf8");

const rulesOfAll = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe finds wrong in the page as it is, by rule and place; of all its rules, or of these. */
export async function audit(page: Page, rules = rulesOfAll): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(
    `axe.run(document, { resultTypes: ["violations"], runOnly: ${JSON.stringify(rules)} })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html.slice(0, 200) + nodes[0].any.map(({message}) => message).join()))`,
  );
}

/** No page may have more, however much there is to show. */
export const elementsMax = 1_500;

export const countElements = (page: Page): Promise<number> => page.evaluate("document.querySelectorAll('*').length");

/** Where the steps stand that are drawn, by their path. */
export const findPlaces = (page: Page): Promise<Readonly<Record<string, string>>> =>
  page.evaluate(
    `Object.fromEntries([...document.querySelectorAll(".step")].map((step) => {
      const { x, y, width, height } = step.getBoundingClientRect();
      return [step.dataset.path, [x, y, width, height].join()];
    }))`,
  );
