import type { Flow, Tutti } from "tutti";
import type { TuttiServer } from "tutti/server";

import { ledgerPath } from "./brief-flow.ts";
import { say } from "./say.ts";

/** Where `tutti dev` listens too; when something else does, any other will do. */
const usualPort = 4_600;

/** Time to read what is asked before one opens the console: until then the address lies in a terminal. */
const addressLifeMs = 600_000;

/** The command that opens the console on the same ledger again. */
const againCommand = `npm run tutti -- dev examples/brief/flow.ts --ledger ${ledgerPath}`;

/** Serves the console for whoever started the job, and says where. Nothing when it was not built. */
export async function serveConsole(tutti: Tutti, brief: Flow, by: string): Promise<TuttiServer | undefined> {
  // Loaded only where somebody may look.
  const { findConsole, openServer, openTokens, toTokensFile } = await import("tutti/server");
  const consoleFolder = findConsole();
  if (consoleFolder === undefined) {
    say("Console    is not built here; `npm start` in the repository builds it\n");
    return undefined;
  }
  const server = await openServer(tutti, {
    flows: [brief],
    tokens: openTokens(toTokensFile(ledgerPath)),
    port: usualPort,
    orAnyPort: true,
    consoleFolder,
    snapshotFile: `${ledgerPath}-insight.json`,
    sessionsFile: `${ledgerPath}-sessions.json`,
  });
  say(
    `Console    ${server.toConsoleUrl(by, addressLifeMs)}\n           (watch there, decide there or here; the address works once, within ten minutes)\n`,
  );
  return server;
}

export interface Staying {
  /** Until it is asked to end. */
  readonly stay: boolean;
  readonly stopped: AbortSignal;
  /** Resolves when somebody at the terminal has seen enough. */
  readonly enough: (question: string) => Promise<unknown>;
}

/** The job is done. Whoever looks at it in a browser goes on looking until they have seen enough; else it ends, and says how to look again. */
export async function letLook(server: TuttiServer, { stay, stopped, enough }: Staying): Promise<void> {
  if (stay) {
    say(`\nThe console stays at ${server.url}; Ctrl-C ends it.`);
    await whenStopped(stopped);
  } else if (server.followers() > 0 && process.stdin.isTTY)
    await enough("\nThe console is open in a browser. Enter ends it: ");
  say(`\nLook again: ${againCommand}`);
}

export function whenStopped(stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stopped.aborted) resolve();
    stopped.addEventListener("abort", () => resolve(), { once: true });
  });
}
