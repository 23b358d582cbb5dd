import { realpathSync } from "node:fs";

import { parseAnchor } from "../audit/anchor.ts";
import { toAuditFolder } from "../audit/audit-file.ts";
import { keepCheckpoints, type KeptCheckpoints } from "../audit/keep-checkpoints.ts";
import { systemClock } from "../base/clock.ts";
import type { Tutti } from "../engine/tutti.ts";
import type { IssuerOptions } from "../identity/issuer.ts";
import { findConsole } from "../server/find-console.ts";
import { openServer, type TuttiServer } from "../server/open-server.ts";
import { openTokens, toTokensFile } from "../server/tokens.ts";
import { toUsage } from "./command-line.ts";
import type { CommandCall } from "./command.ts";
import { exitCodes, type ExitCode } from "./exit-codes.ts";
import { toLedgerOption, toLedgerPath } from "./ledger-file.ts";
import { loadFlows } from "./load-flows.ts";
import { openEngine } from "./open-engine.ts";
import { say, sayJson, tell } from "./output.ts";
import { readCount } from "./read-value.ts";

export interface Serving {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly issuer?: IssuerOptions | undefined;
  /** How often checkpoints are taken, and the names of their anchors. */
  readonly checkpoints?: { readonly everyMs: number; readonly anchors: readonly string[] } | undefined;
  /** Says, once it listens, how to come in. */
  welcome(server: TuttiServer, hasTokens: boolean): string;
}

const portDefault = 4_600;

/** Serves the flows of a file until the process is asked to end, and then lets everything come to its end. */
export async function runServer(call: CommandCall, serving: Serving): Promise<ExitCode> {
  const { host, origin } = serving;
  checkPlace(host, origin);
  const port = readPort(call);
  const file = await loadFlows(call.operand("file"));
  const ended = untilAskedToEnd();
  const tutti = await openEngine(call, file, { recover: true });
  try {
    const ledgerFile = realpathSync(toLedgerPath(call));
    const tokens = openTokens(toTokensFile(ledgerFile));
    const server = await openServer(tutti, {
      flows: [...file.flows, ...file.toolFlows],
      tools: file.tools,
      tokens,
      port,
      snapshotFile: `${ledgerFile}-insight.json`,
      sessionsFile: `${ledgerFile}-sessions.json`,
      consoleFolder: findConsole(),
      origin,
      issuer: serving.issuer,
      ...(host === undefined ? {} : { host }),
    });
    const checkpoints = keep(tutti, ledgerFile, serving.checkpoints);
    try {
      const welcome = serving.welcome(server, tokens.list().length > 0);
      if (call.flag("json")) sayJson({ url: server.url, port: server.port, pid: process.pid });
      else say(`${server.url} serves ${file.path}`);
      tell(welcome);
      const why = await ended;
      tell(`${why}: takes no new work, and ends when what is going on has ended`);
    } finally {
      await server.close();
      await checkpoints?.close();
    }
  } finally {
    await tutti.close();
  }
  return exitCodes.done;
}

function keep(tutti: Tutti, file: string, wanted: Serving["checkpoints"]): KeptCheckpoints | undefined {
  if (wanted === undefined) return undefined;
  return keepCheckpoints({
    ledger: tutti.ledger,
    folder: toAuditFolder(file),
    anchors: wanted.anchors.map((name) => parseAnchor(name, file)),
    clock: systemClock,
    everyMs: wanted.everyMs,
    onFailed: (error) =>
      tell(`no checkpoint was taken: ${error.message}${error.hint === undefined ? "" : ` ${error.hint}`}`),
  });
}

export function toTokenHint(call: CommandCall): string {
  return `tutti token create --name <name> --role operator${toLedgerOption(toLedgerPath(call))}`;
}

function checkPlace(host: string | undefined, origin: string | undefined): void {
  const isLoopback = host === undefined || host === "localhost" || host === "::1" || host.startsWith("127.");
  if (!isLoopback && origin === undefined)
    throw toUsage(`--host ${host} needs --origin`, "Say where people reach it: --origin https://tutti.example.org");
  if (origin === undefined || (URL.canParse(origin) && /^https?:/u.test(origin) && new URL(origin).origin === origin))
    return;
  throw toUsage(
    `--origin is no origin: "${origin}"`,
    "Write scheme and host, without a path: https://tutti.example.org",
  );
}

function readPort(call: CommandCall): number {
  const typed = call.text("port");
  const port = typed === "0" ? 0 : (readCount(typed, "port") ?? portDefault);
  if (port <= 65_535) return port;
  throw toUsage(`there is no port ${port}`, "--port 4600");
}

/** The first signal drains; the second ends at once. */
function untilAskedToEnd(): Promise<string> {
  process.removeAllListeners("SIGTERM"); // which would end at once
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.once(signal, () => {
        process.once(signal, () => process.exit(exitCodes.interrupted));
        resolve(signal);
      });
  });
}
