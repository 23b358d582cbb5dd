import { createServer, type Server as HttpServer } from "node:http";

import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { Context } from "hono";

import { systemClock, type Clock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import type { Flow } from "../contracts/run.ts";
import type { Tutti } from "../engine/tutti.ts";
import { openIssuer, type IssuerOptions } from "../identity/issuer.ts";
import { openFleet } from "../insight/fleet/fleet.ts";
import { openMetrics } from "../insight/metrics/metrics.ts";
import { openScores } from "../insight/score/scores.ts";
import { openAnsweredCommands } from "./answered.ts";
import { toApp } from "./app.ts";
import { openCallers } from "./callers.ts";
import type { Desk } from "./desk.ts";
import { openRateLimit, type RequestRate } from "./rate-limit.ts";
import { openSessions } from "./sessions.ts";
import { openStaticFiles } from "./static-files.ts";
import { openTail } from "./tail.ts";
import type { Tokens } from "./tokens.ts";

export interface ServerOptions {
  /** Flows that can be started; the engine must have them too. */
  readonly flows: readonly Flow[];
  readonly tools?: readonly Tool[];
  readonly tokens: Tokens;
  /** A service that signs people in (OpenID Connect): its tokens count besides our own. */
  readonly issuer?: IssuerOptions | undefined;
  /** 0 (default): any that is free. */
  readonly port?: number;
  /** Takes any port that is free when another program has this one. */
  readonly orAnyPort?: boolean;
  /** The address to listen on; the loopback one by default. */
  readonly host?: string;
  /** Where people reach it when it is not the loopback address: `https://tutti.example.org`. TLS is ended by a proxy in front. */
  readonly origin?: string | undefined;
  /** The built console. Without it there is only the interface. */
  readonly consoleFolder?: string | undefined;
  /** Where the run list is kept between two lives of the process. */
  readonly snapshotFile?: string | undefined;
  /** Where sessions of browsers are kept between two lives of the process; in memory by default. */
  readonly sessionsFile?: string | undefined;
  /** Of each caller; 200 at once and 100 a second by default. */
  readonly rate?: RequestRate;
  readonly clock?: Clock;
}

/** The interface of one engine over HTTP. */
export interface TuttiServer {
  readonly port: number;
  /** `http://127.0.0.1:4600` */
  readonly url: string;
  /**
   * An address that opens the console once, with every right: for whoever started the server. It lives for a minute, or as long as is said;
   * the newest one is the one that counts.
   */
  toConsoleUrl(person: string, lifeMs?: number): string;
  /** How many follow the stream now: a browser with the console does. */
  followers(): number;
  /** Takes no new work, ends its streams, lets requests come to their end within ten seconds, and stops listening. The engine stays open. */
  close(): Promise<void>;
}

const rateDefault: RequestRate = { burst: 200, perSecond: 100 };
const guessRate: RequestRate = { burst: 20, perSecond: 1 };
const requestTimeoutMs = 30_000;
const connectionsMax = 1_024;
const drainGraceMs = 10_000;

/** Opens the door. @throws TuttiError USAGE when it can't listen there; what reading the ledger throws */
export async function openServer(tutti: Tutti, options: ServerOptions): Promise<TuttiServer> {
  const { host = "127.0.0.1", clock = systemClock, origin } = options;
  const fleet = await openFleet(tutti.ledger, { snapshotFile: options.snapshotFile, freezes: () => tutti.freezes() });
  const tail = openTail(fleet, clock);
  const draining = new AbortController();
  const callers = openCallers({
    tokens: options.tokens,
    issuer: options.issuer === undefined ? undefined : openIssuer(options.issuer, clock),
    clock,
    isSecure: origin?.startsWith("https:") === true,
    sessions: openSessions(options.sessionsFile),
  });
  const desk: Desk = {
    tutti,
    fleet,
    tail,
    callers,
    flows: options.flows,
    tools: options.tools ?? [],
    scores: openScores(tutti.ledger),
    metrics: openMetrics(tutti, { clock }),
    draining: draining.signal,
  };
  const app = toApp({
    desk,
    commands: await openAnsweredCommands(tutti.ledger),
    place: { origin },
    requests: openRateLimit(options.rate ?? rateDefault, clock),
    guesses: openRateLimit(guessRate, clock),
    files: openStaticFiles(options.consoleFolder),
    addressOf,
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => void listener(request, response));
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  server.maxConnections = connectionsMax;
  // While it drains, a connection is let go as soon as its answer is out, and not kept for another request.
  server.on("request", (_, response) => {
    response.on("close", () => {
      if (draining.signal.aborted) setImmediate(() => server.closeIdleConnections());
    });
  });
  const port = await listen(server, { port: options.port ?? 0, host, orAnyPort: options.orAnyPort === true });
  // Whoever comes while a model speaks shall hear the rest: models are asked to tell what they say as long as the server is open.
  const unwatch = tutti.watch(() => {});
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    port,
    url,
    toConsoleUrl: (name, lifeMs) =>
      `${origin ?? url}/open/${callers.makeOnceWord({ name, role: "admin", tenant: undefined }, lifeMs)}`,
    followers: () => tail.places(),
    async close() {
      draining.abort();
      unwatch();
      tail.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const forget = clock.after(drainGraceMs, () => server.closeAllConnections());
      await closed;
      forget();
      await fleet.close();
    },
  };
}

function addressOf(context: Context<{ Bindings: HttpBindings }>): string {
  return context.env.incoming.socket.remoteAddress ?? "";
}

interface Wanted {
  readonly port: number;
  readonly host: string;
  readonly orAnyPort: boolean;
}

async function listen(server: HttpServer, where: Wanted): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(where.port, where.host, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    if (where.orAnyPort && error instanceof Error && "code" in error && error.code === "EADDRINUSE")
      return listen(server, { ...where, port: 0, orAnyPort: false });
    throw new TuttiError("USAGE", `the server can't listen on ${where.host}, port ${where.port}`, {
      hint: "Another program may use the port: choose another with --port.",
      cause: error,
    });
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : where.port;
}
