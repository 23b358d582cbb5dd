import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, expect, test } from "vitest";

import { buildConsole } from "../../scripts/build-console.mjs";
import { makeGate, plainFlow } from "../engine/engine-fixture.ts";
import { root } from "../tidy/repository.ts";
import { verifies } from "../verifies.ts";
import { hasBrowser, openConsoleStand, refunds, waits, type ConsoleStand } from "./console-stand.ts";
import { audit, findPlaces } from "./page-checks.ts";
import { toRound, writeRun } from "./write-run.ts";

const hostile = `<img src="/x.png" onerror="alert(1)"><script>alert(2)</script>[a](javascript:alert(3)) \u202Eevil\u202C\u200B`;

/** Comes to rest a moment after two entries that lie so far apart that one look at its head takes in both, and not the rest. */
const atWork = makeGate();
const naps = plainFlow("naps", async (run) => {
  await run.step("work", () => atWork.opened);
  await run.sleep(250);
  await run.wait("go");
});

let stand: ConsoleStand;

beforeAll(async () => {
  buildConsole();
  if (!hasBrowser) return;
  stand = await openConsoleStand({ flows: [naps] });
  const { tutti } = stand;
  await writeRun(tutti.ledger, { id: "small", steps: 106, end: "done" });
  await writeRun(tutti.ledger, { id: "hostile", steps: 60, end: "failed", says: hostile });
  await tutti.start(waits, {}, { id: "onboarding-1" });
  await askForRefunds("a1", "b2");
});

afterAll(async () => {
  await stand?.close();
});

async function askForRefunds(...orders: readonly string[]): Promise<void> {
  for (const order of orders) {
    const handle = await stand.tutti.start(refunds, { order, euros: 480 }, { id: `refund-${order}` });
    await handle.settled();
  }
}

test("what the console's first view loads stays light", () => {
  const folder = join(root, "packages", "console", "dist", "assets");
  const bytesOf = (ending: string): number =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
  expect(bytesOf(".js")).toBeLessThan(120_000);
  expect(bytesOf(".css")).toBeLessThan(10_000);
});

test.skipIf(!hasBrowser)("nobody sees anything without a token, and a wrong one is refused", async () => {
  const page = await stand.open("/runs/small", { signedOut: true });
  await page.getByLabel("Token").fill("tutti_000000000000_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("CALLER_UNKNOWN").waitFor();
  expect(await audit(page)).toEqual([]);
  await page.context().close();
});

test.skipIf(!hasBrowser)(
  "an approval is decided with the keyboard alone, on what was shown",
  verifies("G4", "O11"),
  async () => {
    await askForRefunds("c3", "d4");
    const page = await stand.open("/");
    await page.locator("ol.runs").waitFor();
    await page.keyboard.press("2");
    await page.locator(".approval").waitFor();
    for (let step = 0; step < 2; step++) await page.keyboard.press("j");
    const shown = page.locator(".approval");
    await shown.getByText("c3: paid").waitFor();
    expect(await shown.innerText()).toContain("can't be taken back");
    await page.keyboard.press("e");
    await page.getByLabel("The input that you would approve").focus();
    await page.keyboard.press("Control+a");
    await page.keyboard.type(`{"order": "c3", "euros": 100}`);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("Approved with another input").waitFor();
    await shown.getByText("d4: paid").waitFor();
    await page.keyboard.press("r");
    await page.keyboard.type("the parcel was found");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await shown.getByText("b2: paid").waitFor();
    expect(await (await stand.tutti.open("refund-c3")).result()).toEqual({ receipt: "c3/100" });
    const entries = await (await stand.tutti.open("refund-d4")).entries();
    expect(entries.find(({ kind }) => kind === "approval-voted")?.body).toContain("the parcel was found");
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "a person's instruction and a freeze reach the ledger, and a freeze is lifted",
  verifies("G5"),
  async () => {
    const page = await stand.open("/runs/onboarding-1/steer");
    await page.getByRole("button", { name: "Constraint" }).click();
    await page.getByRole("textbox", { name: "Constraint" }).fill("Only sources from Europe");
    await page.getByRole("button", { name: "Give directive" }).click();
    await page.locator(".given").getByText("Only sources from Europe").waitFor();
    await page.getByRole("button", { name: "Freeze" }).click();
    await page.getByText("Frozen: run", { exact: true }).waitFor();
    expect(stand.tutti.freezes()).toHaveLength(1);
    await page.getByRole("button", { name: "Lift" }).click();
    await page.getByText("Frozen: run").waitFor({ state: "detached" });
    const entries = await (await stand.tutti.open("onboarding-1")).entries();
    expect(entries.map(({ kind }) => kind)).toContain("directive-given");
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "a link leads to a step at a moment: later entries are not there",
  verifies("O11"),
  async () => {
    const page = await stand.open("/runs/small?seq=20&step=/plan");
    await page.locator(".reasons").waitFor();
    await page.getByText("20 of 108").waitFor();
    expect(await page.locator(".phase").count()).toBe(2);
    expect(await page.locator(".phase").last().innerText()).not.toContain("draft");
    await page.getByRole("button", { name: "Back to now" }).click();
    await page.getByText("108 of 108").waitFor();
    expect(page.url()).not.toContain("seq");
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "decisions show what was not taken, votes who was against it, messages who told whom",
  verifies("O2", "O5"),
  async () => {
    const page = await stand.open("/runs/small?step=/review/decision");
    const drawer = page.locator(".drawer");
    await drawer.getByText("two prices without a source", { exact: true }).waitFor();
    expect(await drawer.innerText()).toContain("0.61");
    await page.goto(`${stand.url()}/runs/small?step=/review/votes`);
    await drawer.getByText("range figures are old", { exact: true }).waitFor();
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)("text of agents stays text, and nothing in it hides", async () => {
  for (const path of [
    "/runs/hostile/channels",
    "/runs/hostile?step=/review/decision",
    "/runs/hostile?step=/draft/message",
  ]) {
    const page = await stand.open(path);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.locator(".reasons, .lines").first().waitFor();
    expect(await page.locator("img[src='/x.png'], #screen script, a[href^=javascript]").count()).toBe(0);
    expect(await page.evaluate("/[\\u202A-\\u202E\\u200B]/u.test(document.body.innerText)")).toBe(false);
    expect(await page.locator("#screen").innerText()).toContain("⟨U+202E⟩");
    expect(asked.filter((url) => url.includes("x.png"))).toEqual([]);
    await page.context().close();
  }
  expect(stand.faults).toEqual([]);
});

test.skipIf(!hasBrowser)(
  "nothing that was drawn moves when steps come, and a server that dies leaves no gap",
  verifies("O11"),
  async () => {
    const log = await writeRun(stand.tutti.ledger, { id: "live", steps: 30, end: "open" });
    const page = await stand.open("/runs/live");
    await page.locator(".step").nth(10).waitFor();
    const before = await findPlaces(page);
    const rest = toRound(0).slice(30);
    for (const entry of rest.slice(0, 10)) await log.append(entry);
    await page.getByText("41 of 41").waitFor();
    await stand.stop();
    await page.getByText("Offline").waitFor();
    for (const entry of rest.slice(10)) await log.append(entry);
    await stand.restart();
    await page.getByText("Live").waitFor();
    const newest = 1 + toRound(0).length;
    await page.getByText(`${newest} of ${newest}`).waitFor();
    const after = await findPlaces(page);
    expect(Object.keys(before).filter((path) => before[path] !== after[path])).toEqual([]);
    // What is shown now is what a page shows that comes later.
    const later = await stand.open("/runs/live");
    await later.getByText(`${newest} of ${newest}`).waitFor();
    await later.locator(".step").nth(10).waitFor();
    const names = "[...document.querySelectorAll('.step')].map((step) => step.dataset.path + step.innerText).sort()";
    await expect
      .poll(async () => JSON.stringify(await later.evaluate(names)))
      .toBe(JSON.stringify(await page.evaluate(names)));
    await page.context().close();
    await later.context().close();
  },
);

test.skipIf(!hasBrowser)("no screen threw an error", () => {
  expect(stand.faults).toEqual([]);
});

test.skipIf(!hasBrowser)("the head of a run that has come to wait says so", async () => {
  await stand.tutti.start(naps, {}, { id: "naps" });
  const page = await stand.open("/runs/naps");
  const head = page.locator(".run-head");
  await head.getByText("running").waitFor();
  atWork.open();
  await head.getByText("waiting").waitFor();
  expect(await (await stand.tutti.open("naps")).state()).toMatchObject({ kind: "waiting", signals: ["go"] });
  await page.context().close();
});
