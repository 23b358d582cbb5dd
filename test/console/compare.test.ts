import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import { buildConsole } from "../../scripts/build-console.mjs";
import { toAskingPolicy } from "../approvals/approval-fixture.ts";
import { root } from "../tidy/repository.ts";
import { verifies } from "../verifies.ts";
import { hasBrowser, openConsoleStand, type ConsoleStand } from "./console-stand.ts";
import { askingTool, holds, trip } from "./undo-flows.ts";
import { writeRun } from "./write-run.ts";

const axeSource = readFileSync(join(root, "node_modules", "axe-core", "axe.min.js"), "utf8");
const hostile = `<img src="/x.png" onerror="alert(1)"> \u202Eevil\u202C`;

let stand: ConsoleStand;
let fork = "";

beforeAll(async () => {
  buildConsole();
  if (!hasBrowser) return;
  stand = await openConsoleStand({ flows: [trip, holds], policy: toAskingPolicy({}, { tool: askingTool }) });
  const { ledger } = stand.tutti;
  await writeRun(ledger, { id: "monday", steps: 106, end: "done" });
  await writeRun(ledger, { id: "tuesday", steps: 150, end: "failed", says: hostile });
  await writeRun(ledger, { id: "long-1", steps: 2_000, end: "done" });
  await writeRun(ledger, { id: "long-2", steps: 2_000, end: "done", says: "otherwise" });
  const failed = await stand.tutti.start(trip, { room: "12" }, { id: "trip-1" });
  await failed.settled();
  fork = (await failed.fork(toStepKey("/mail.tell"), { output: { room: "13" } })).id;
  await (await stand.tutti.open(fork)).settled();
  for (const room of ["1", "2", "3"]) {
    const asked = await stand.tutti.start(holds, { room }, { id: `hold-${room}` });
    await asked.settled();
  }
});

afterAll(async () => {
  await stand?.close();
});

/** Everything that axe finds wrong. */
async function audit(page: Page): Promise<unknown> {
  await page.evaluate(axeSource);
  return page.evaluate(
    `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html.slice(0, 200) + nodes[0].any.map(({message}) => message).join()))`,
  );
}

const views = {
  compared: ["/runs/monday/compare?with=tuesday", ".compare"],
  "compared, all steps": ["/runs/monday/compare?with=tuesday&show=all", ".compare"],
  "compared, huge": ["/runs/long-1/compare?with=long-2&show=all", ".compare"],
  "compared, alike": ["/runs/monday/compare?with=monday", ".verdict"],
  "compared with a run of another flow": ["/runs/monday/compare?with=trip-1", ".problem"],
  "nothing to compare with": ["/runs/monday/compare", ".notice"],
  "runs to choose from": ["/?compare=monday&flow=competitive-report", ".choosing"],
  "hand-offs": ["/agents?view=hand-offs", ".matrix"],
  "an agent over time": ["/agents?kind=agent&name=writer", ".chart"],
  "an agent that nobody knows": ["/agents?kind=agent&name=nobody", ".notice"],
  undo: ["/runs/trip-1/steer", ".undo-lines"],
} as const;

test.skipIf(!hasBrowser).each(Object.keys(views))(
  "%s: axe finds nothing by day and by night, the page stays small, and fits on a phone",
  async (name) => {
    const [path, ready] = Object.entries(views).find(([view]) => view === name)?.[1] ?? ["", ""];
    const page = await stand.open(path);
    await page.locator(ready).first().waitFor();
    expect(await audit(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await audit(page)).toEqual([]);
    expect(await page.evaluate("document.querySelectorAll('*').length")).toBeLessThan(1_500);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "a fork leads to its origin beside it, and there to the step where they part, which is a link",
  verifies("O11", "D12"),
  async () => {
    const page = await stand.open(`/runs/${encodeURIComponent(fork)}`);
    await page.getByRole("link", { name: "compare with its origin" }).click();
    await page.locator(".verdict").getByText("They part at").waitFor();
    expect(await page.locator(".verdict").innerText()).toMatch(/3 alike, 2 of them shared \(\d+ entries\)/u);
    await page.keyboard.press("g");
    const present = page.locator(".compare-row.is-present");
    await present.waitFor();
    expect(new URL(page.url()).searchParams.get("at")).toBe("/mail.tell");
    expect(await present.innerText()).toContain("edited by a person");
    expect(await present.innerText()).toContain("Here they part");
    await page.reload();
    await present.waitFor();
    await page.keyboard.press("s");
    await page.locator(".compare-row", { hasText: "/look" }).getByText("shared", { exact: true }).waitFor();
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "two runs of a flow are chosen from the list with the keyboard, and what they say stays text",
  verifies("O11"),
  async () => {
    const page = await stand.open("/");
    await page.locator("ol.runs").waitFor();
    await page.keyboard.press("c");
    await page.getByText("Choose the first of two runs").waitFor();
    await page.locator("ol.runs a", { hasText: "monday" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("another run of competitive-report").waitFor();
    expect(await page.locator("ol.runs").innerText()).not.toContain("holds");
    await page.locator("ol.runs a", { hasText: "tuesday" }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".compare").waitFor();
    expect(new URL(page.url()).pathname).toBe("/runs/monday/compare");
    expect(await page.locator(".compare").innerText()).toContain("<img");
    expect(await page.locator(".compare img").count()).toBe(0);
    expect(stand.faults).toEqual([]);
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "what an undo takes back and what stays is seen before it is confirmed, and it is asked twice",
  verifies("O11", "D11"),
  async () => {
    await (await stand.tutti.start(trip, { room: "14" }, { id: "trip-2" })).settled();
    const page = await stand.open("/runs/trip-2/steer");
    const card = page.getByRole("region", { name: "Take back" });
    await card.getByText("Would be taken back").waitFor();
    expect(await card.innerText()).toMatch(
      /hotel\.book[\s\S]*Stays as it is[\s\S]*mail\.tell[\s\S]*no way to take it back/u,
    );
    await card.getByRole("button", { name: "Take back" }).click();
    const kinds = async (): Promise<readonly string[]> =>
      (await (await stand.tutti.open("trip-2")).entries()).map(({ kind }) => kind);
    expect(await kinds()).not.toContain("undo-requested");
    await card.getByRole("button", { name: "Sure?" }).click();
    await card.getByText("1 effect of it was taken back").waitFor();
    await card.getByText("Nothing is left that could be taken back").waitFor();
    expect(await kinds()).toContain("effect-undone");
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "calls that are alike are looked at and approved once with the keyboard; one that is decided meanwhile refuses them all, and is then told",
  verifies("G4", "O11"),
  async () => {
    const page = await stand.open("/inbox");
    await page.locator(".approval").waitFor();
    await page.keyboard.press("b");
    const form = page.getByRole("dialog");
    await form.getByRole("button", { name: "Approve 3 calls" }).waitFor();
    expect(await form.locator("li").count()).toBe(3);
    await form.getByText("What would be done").first().click();
    await form.getByText('"room": "1"').waitFor();
    const inbox = "**/api/inbox?**";
    await page.route(inbox, (route) => route.abort());
    const approvals = await stand.tutti.approvals.list();
    const taken = approvals.find(({ run }) => run === "hold-2");
    await stand.tutti.approvals.decide(taken?.id ?? "", {
      by: "ben",
      saw: taken?.package ?? "",
      verdict: "reject",
      reason: "twice",
    });
    // The page has not heard of it yet: the engine refuses them all.
    await form.getByRole("button", { name: "Approve 3 calls" }).click();
    await form.getByText("APPROVAL_DECIDED").waitFor();
    expect((await stand.tutti.approvals.list()).map(({ run }) => run).toSorted()).toEqual(["hold-1", "hold-3"]);
    await page.unroute(inbox);
    await stand.tutti.start(trip, { room: "15" }); // whatever is written makes the page look again
    await form.getByText("It is decided already").waitFor();
    await form.getByRole("button", { name: "Approve 2 calls" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("2 approved").waitFor();
    expect(await (await stand.tutti.open("hold-1")).result()).toEqual({ room: "1" });
    expect(await (await stand.tutti.open("hold-3")).result()).toEqual({ room: "3" });
    const voted = (await (await stand.tutti.open("hold-2")).entries()).filter(({ kind }) => kind === "approval-voted");
    expect(voted.map(({ body }) => body.includes('"ben"'))).toEqual([true]);
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "at an earlier moment a step's reasons and decisions are those that were known then",
  verifies("O11"),
  async () => {
    const entries = await (await stand.tutti.open("monday")).entries();
    const decided = entries.find(({ kind }) => kind === "decision-made")?.seq ?? 0;
    const page = await stand.open(`/runs/monday?step=%2Freview%2Fdecision&seq=${decided}`);
    const drawer = page.getByRole("complementary", { name: "Why" });
    await drawer.getByText(`What was known after entry ${decided}`).waitFor();
    await drawer.getByRole("heading", { name: "Decisions" }).waitFor();
    await drawer.locator(".reasons").waitFor();
    expect(await drawer.innerText()).not.toContain("majority of 3");
    await page.goto(`${stand.url()}/runs/monday/channels?seq=${decided - 20}`);
    await page.getByText("As it was known after entry").waitFor();
    await page.getByText("No agent told another anything").waitFor();
    await page.context().close();
  },
);
