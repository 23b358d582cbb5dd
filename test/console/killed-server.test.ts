import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";

import { openTokens } from "../../packages/tutti/src/server/tokens.ts";
import { buildConsole } from "../../scripts/build-console.mjs";
import { verifies } from "../verifies.ts";
import { hasBrowser, launchBrowser } from "./console-stand.ts";

const program = fileURLToPath(new URL("serving-process.ts", import.meta.url));
const steps = 700;
const lives = 5;
/** A life that is to end does no more than these. */
const stepsOfLife = 150;
/** The server is killed when the page has heard of so many entries since it was there again. */
const heardOfLife = 70;

/** Keeps the number of every entry that the page is told of, in the order of telling, beside what the page does with it. */
const listen = `
  window.told = [];
  const Plain = window.SharedWorker;
  window.SharedWorker = class extends Plain {
    constructor(...given) {
      super(...given);
      this.port.addEventListener("message", ({ data }) => {
        if (data.kind === "entries") window.told.push(...data.entries.filter(({ run }) => run === "counted").map(({ seq }) => seq));
      });
    }
  };`;

const toldOf = (page: Page): Promise<readonly number[]> => page.evaluate("window.told");
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

interface Serving {
  readonly child: ChildProcess;
  readonly url: string;
}

async function serve(folder: string, port: string, stepsMax: number): Promise<Serving> {
  const args = ["--conditions=tutti-source", program, folder, port, String(steps), String(stepsMax)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as readonly unknown[];
  return { child, url: String(line).trim() };
}

async function kill({ child }: Serving): Promise<void> {
  const died = once(child, "exit");
  child.kill("SIGKILL");
  expect(await died).toEqual([null, "SIGKILL"]);
}

/** The numbers of all entries on the pages of the run's ledger, as they are shown. */
async function readShown(page: Page): Promise<readonly number[]> {
  const shown: number[] = [];
  const numbers = page.locator(".lines .entry .number:first-child");
  for (;;) {
    await expect.poll(async () => Number(await numbers.first().innerText())).toBe(shown.length + 1);
    shown.push(...(await numbers.allInnerTexts()).map(Number));
    const next = page.getByRole("button", { name: "Next 100" });
    if ((await next.count()) === 0) return shown;
    await next.click();
  }
}

test.skipIf(!hasBrowser)(
  "the serving process is killed again and again while it writes: the page is told of every entry once, and shows each once",
  verifies("O11", "D1"),
  async () => {
    buildConsole();
    const folder = mkdtempSync(join(tmpdir(), "tutti-killed-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { token } = openTokens(join(folder, "tokens.json")).create({ name: "anna", role: "admin", createdAt: 1 });
    let serving = await serve(folder, "0", stepsOfLife);
    const { url } = serving;
    const browser = await launchBrowser();
    onTestFinished(() => browser.close());
    const page = await (await browser.newContext()).newPage();
    await page.addInitScript(listen);
    await page.request.post(`${url}/api/session`, { data: { token } });
    await page.goto(url);
    await page.getByText("Live", { exact: true }).waitFor();
    serving.child.stdin?.write("go\n");
    await page.getByRole("link", { name: /counting/u }).click();
    let heard = 0;
    for (let life = 2; life <= lives; life++) {
      await expect
        .poll(async () => (await toldOf(page)).length, { interval: 5, timeout: 20_000 })
        .toBeGreaterThan(heard + heardOfLife);
      await kill(serving);
      expect((await toldOf(page)).length).toBeLessThan(steps);
      await page.getByText("Offline").waitFor();
      serving = await serve(folder, new URL(url).port, life === lives ? steps : stepsOfLife);
      await page.getByText("Live", { exact: true }).waitFor();
      heard = (await toldOf(page)).length;
      serving.child.stdin?.write("go\n");
    }
    const entries = steps + 2;
    await page.getByText(`${entries} of ${entries}`).waitFor();
    await expect.poll(async () => (await toldOf(page)).length).toBeGreaterThanOrEqual(entries);
    expect(await toldOf(page)).toEqual(upTo(entries));
    const paths = await page
      .locator(".step")
      .evaluateAll((cards) => cards.map((card) => card.getAttribute("data-path")));
    expect(new Set(paths).size).toBe(paths.length);
    await page.getByRole("link", { name: "Ledger" }).last().click();
    expect(await readShown(page)).toEqual(upTo(entries));
    await kill(serving);
  },
);
