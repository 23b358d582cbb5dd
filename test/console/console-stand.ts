import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, type Browser, type Page } from "playwright-core";
import { z } from "zod";

import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { Tutti, TuttiOptions } from "../../packages/tutti/src/engine/tutti.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { openServer, type TuttiServer } from "../../packages/tutti/src/server/open-server.ts";
import { openTokens, type Tokens } from "../../packages/tutti/src/server/tokens.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { toAskingPolicy } from "../approvals/approval-fixture.ts";
import { root } from "../tidy/repository.ts";

const chromiumFile = "/usr/bin/chromium";

/** Whether the browser that the tests need is here; `npm test` installs it where it can. */
export const hasBrowser = spawnSync(chromiumFile, ["--version"]).status === 0;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumFile, args: ["--no-sandbox"] });
}

const refund = tool({
  name: "crm.refund",
  does: "Pays money back to a customer.",
  input: z.object({ order: z.string(), euros: z.number() }),
  output: z.object({ receipt: z.string() }),
  effect: "once",
  key: ({ order }) => order,
  preview: ({ order, euros }) => ({ before: `${order}: paid`, after: `${order}: ${euros} euros go back` }),
  run: async ({ order, euros }) => ({ receipt: `${order}/${euros}` }),
});

export const refunds = flow({
  name: "refunds",
  input: z.object({ order: z.string(), euros: z.number() }),
  output: z.object({ receipt: z.string() }),
  run: (run, bill) => run.call(refund, bill),
});

/** Rests until it is told to go on. */
export const waits = flow({
  name: "onboarding",
  input: z.object({}),
  output: z.object({}),
  run: async (run) => {
    await run.step("greet", async () => "hello");
    await run.wait("go");
    return {};
  },
});

/** One browser, and one server over an engine on a file; the server can die and come back. */
export interface ConsoleStand {
  readonly tutti: Tutti;
  readonly browser: Browser;
  readonly url: () => string;
  /** A page that somebody is signed in to. Whatever goes wrong in it is kept. */
  open(path: string, options?: PageOptions): Promise<Page>;
  readonly faults: string[];
  /** Cuts every connection, and listens again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface PageOptions {
  readonly signedOut?: boolean;
  /** Who looks; anna, who may do everything, if it isn't said. */
  readonly as?: string;
}

/** What a test's runs are made of, besides those that every stand has; its policy in place of the one that asks before a refund. */
export type StandOptions = Partial<Pick<TuttiOptions, "flows" | "tools" | "models" | "policy">>;

export async function openConsoleStand(more: StandOptions = {}): Promise<ConsoleStand> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-console-"));
  const flows = [refunds, waits, ...(more.flows ?? [])];
  const tutti = await openTutti({
    ...more,
    flows,
    tools: [refund, ...(more.tools ?? [])],
    policy: more.policy ?? toAskingPolicy({}, { tool: refund.name }),
    ledger: join(folder, "ledger.db"),
    durability: "process",
    recover: false,
  });
  const tokens = openTokens(join(folder, "tokens.json"));
  const tokenOf = new Map<string, string>();
  const serve = (port: number): Promise<TuttiServer> => openOn({ tutti, tokens, folder, port, flows });
  let server = await serve(0);
  const { port, url } = server;
  const browser = await launchBrowser();
  const faults: string[] = [];
  return {
    tutti,
    browser,
    faults,
    url: () => url,
    async open(path, { signedOut = false, as = "anna" } = {}) {
      const token = tokenOf.get(as) ?? tokens.create({ name: as, role: "admin", createdAt: 1 }).token;
      tokenOf.set(as, token);
      const context = await browser.newContext({ viewport: { width: 1_440, height: 900 }, reducedMotion: "reduce" });
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      page.on("pageerror", (error) => faults.push(`${path}: ${error.message}`));
      page.on("dialog", (dialog) => {
        faults.push(`${path}: a dialog says ${dialog.message()}`);
        void dialog.dismiss();
      });
      if (!signedOut) await page.request.post(`${url}/api/session`, { data: { token } });
      await page.goto(url + path);
      return page;
    },
    async stop() {
      await server.close();
    },
    async restart() {
      server = await serve(port);
    },
    async close() {
      await browser.close();
      await server.close();
      await tutti.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Serving {
  readonly tutti: Tutti;
  readonly tokens: Tokens;
  readonly folder: string;
  readonly port: number;
  readonly flows: Parameters<typeof openServer>[1]["flows"];
}

function openOn({ tutti, tokens, folder, port, flows }: Serving): Promise<TuttiServer> {
  return openServer(tutti, {
    flows,
    tokens,
    port,
    sessionsFile: join(folder, "sessions.json"),
    consoleFolder: join(root, "packages", "console", "dist"),
    rate: { burst: 10_000, perSecond: 10_000 },
  });
}
