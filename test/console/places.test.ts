import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { buildConsole } from "../../scripts/build-console.mjs";
import { verifies } from "../verifies.ts";
import { hasBrowser, openConsoleStand, refunds, waits, type ConsoleStand } from "./console-stand.ts";
import { writeRun } from "./write-run.ts";

let stand: ConsoleStand;

beforeAll(async () => {
  buildConsole();
  if (!hasBrowser) return;
  stand = await openConsoleStand();
  for (let run = 0; run < 60; run++) await writeRun(stand.tutti.ledger, { id: `run-${run}`, steps: 12, end: "done" });
  await writeRun(stand.tutti.ledger, { id: "long", steps: 1_300, end: "done" });
  await (await stand.tutti.start(waits, {}, { id: "onboarding" })).settled();
  for (const order of ["a", "b"])
    await (await stand.tutti.start(refunds, { order, euros: 5 }, { id: order })).settled();
});

afterAll(async () => {
  await stand?.close();
});

/** Every word of an address that changes what is shown, with something that is only there when it does. */
const places: Readonly<Record<string, string>> = {
  "/?q=run-7": "1 run, and that is all.",
  "/?status=done": "Older runs",
  "/?confidenceBelow=0.55": "run",
  "/inbox": "Why you",
  "/agents?kind=tool": "web.search",
  "/ledger?kind=run-done": "run-done",
  "/runs/long?seq=20": "20 of 1,302",
  "/runs/long?step=/plan": "Copy link to this moment",
  "/runs/onboarding/steer": "What people said",
  "/runs/long/channels": "Messages",
  "/runs/long/ledger?key=/plan": "agent-started",
};

/** What the screen says, without what passes by itself. */
const read = (page: Page): Promise<string> =>
  page.evaluate(`document.querySelector("#screen").innerText.replaceAll(/\\d[\\d.]*\\s?(ms|[smhd])\\b/g, "")`);

async function settle(page: Page): Promise<string> {
  let before = "";
  await expect
    .poll(async () => {
      const earlier = before;
      before = await read(page);
      return before !== "" && before === earlier;
    })
    .toBe(true);
  return before;
}

test.skipIf(!hasBrowser)(
  "every address leads to what it says, and a reload shows the same again",
  verifies("O11"),
  async () => {
    const page = await stand.open("/");
    for (const [path, seen] of Object.entries(places)) {
      await page.goto(stand.url() + path);
      await page.locator("#screen").getByText(seen).first().waitFor();
      const before = await settle(page);
      await page.reload();
      await page.locator("#screen").getByText(seen).first().waitFor();
      expect(await settle(page)).toBe(before);
      expect(page.url()).toBe(stand.url() + path);
    }
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)("what was chosen stands in the address, and back leads to the place before", async () => {
  const page = await stand.open("/");
  await page.locator("ol.runs").waitFor();
  await page.getByRole("link", { name: /Done/u }).click();
  await page.getByRole("link", { name: /long/u }).first().click();
  await page.locator('.step[data-path="/plan"]').click();
  await page.getByRole("button", { name: "cost", exact: true }).click();
  expect(page.url()).toBe(`${stand.url()}/runs/long?step=%2Fplan&lens=cost`);
  await page.goBack();
  await page.goBack();
  await page.locator("ol.runs").waitFor();
  expect(page.url()).toBe(`${stand.url()}/?status=done`);
  await page.context().close();
});

const screens = [
  "/",
  "/inbox",
  "/agents",
  "/documents",
  "/ledger",
  "/runs/run-0?step=/plan",
  "/runs/onboarding/steer",
  "/runs/run-0/channels",
  "/runs/long/ledger",
] as const;

/** Controls that a person can use now; of a group of which one is reached by Tab and the others by keys, only that one. */
const markControls = `
  (() => {
    const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
    const usable = all.filter((each) => !each.disabled && each.tabIndex >= 0 && each.checkVisibility({ visibilityProperty: true }));
    usable.forEach((each, index) => (each.dataset.control = index));
    return usable.length;
  })()`;

/** Which control has the focus, and whether it looks otherwise than without it. */
const readFocus = `
  (() => {
    const focused = document.activeElement;
    if (focused === null || focused === document.body) return { control: "", isSeen: true, what: "" };
    const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(focused);
    const isSeen = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
    return { control: focused.dataset.control ?? "", isSeen, what: focused.outerHTML.slice(0, 120) };
  })()`;

interface Focus {
  readonly control: string;
  readonly isSeen: boolean;
  readonly what: string;
}

test.skipIf(!hasBrowser)(
  "on every screen Tab reaches every control and nothing else, and the focus can be seen",
  verifies("O11"),
  async () => {
    const page = await stand.open("/");
    for (const path of screens) {
      await page.goto(stand.url() + path);
      await page.locator("#screen").waitFor();
      await settle(page);
      const controls: number = await page.evaluate(markControls);
      const reached = new Set<string>();
      const unseen: string[] = [];
      for (let presses = 0; presses < controls; presses++) {
        await page.keyboard.press("Tab");
        const { control, isSeen, what } = await page.evaluate<Focus>(readFocus);
        if (!isSeen) unseen.push(what);
        reached.add(control);
      }
      expect({ path, reached: reached.size, unseen }).toEqual({ path, reached: controls, unseen: [] });
    }
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "keys alone lead through the screens, into a run, from step to step, and say what they do",
  verifies("O11"),
  async () => {
    const page = await stand.open("/");
    await page.locator("ol.runs").waitFor();
    for (const [key, heading] of [
      ["2", "Inbox"],
      ["3", "Agents"],
      ["4", "Documents"],
      ["5", "Ledger"],
      ["1", "Runs"],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole("heading", { name: heading, exact: true }).waitFor();
    }
    await page.keyboard.press("/");
    await page.keyboard.type("long");
    await page.getByText("1 run, and that is all.").waitFor();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.locator(".step").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.locator(".drawer").waitFor();
    expect(new URL(page.url()).searchParams.get("step")).toBe("/plan/model");
    await page.keyboard.press("Escape");
    await page.locator(".drawer").waitFor({ state: "detached" });
    await page.keyboard.press("n");
    const { phases } = await page.evaluate<{ readonly phases: readonly unknown[] }>(
      "fetch('/api/runs/long/score').then((answer) => answer.json())",
    );
    await page.getByRole("region", { name: `Phase ${phases.length},` }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("To the newest phase").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(stand.faults).toEqual([]);
    await page.context().close();
  },
);
