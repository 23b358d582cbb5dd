import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

import type { ErrorCode } from "../base/error-codes.ts";
import { toStoredError, toTuttiError, TuttiError } from "../base/errors.ts";
import { ShapeError } from "../base/shape.ts";
import { controlCommands, isControlCommand } from "./control-commands.ts";
import { toControlFile, type ControlAddress } from "./control-file.ts";
import { performCommand } from "./perform-command.ts";
import type { Tutti } from "./tutti.ts";

/** A door into a running engine for other processes of the same user on this machine. */
export interface ControlEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

// An import would evaluate every export of node:http, a web socket client among them: that takes longer than opening the ledger.
const { createServer } = process.getBuiltinModule("node:http");

const host = "127.0.0.1";
/** A signal's payload may be large, but not without end. */
export const bodyBytesMax = 8 * 1024 * 1024;
const requestTimeoutMs = 30_000;
const closeGraceMs = 2_000;

/**
 * Opens the door and writes down, beside the ledger, where it is. Listens on the loopback address only; every request must bring the
 * token from that file, so it takes the rights of the ledger's owner to come in.
 * @throws TuttiError LEDGER_UNWRITABLE when the note can't be written
 */
export async function openControlEndpoint(tutti: Tutti, ledgerFile: string): Promise<ControlEndpoint> {
  const token = randomBytes(32).toString("hex");
  const open = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const answered = answer(tutti, token, { request, response });
    open.add(answered);
    void answered.finally(() => open.delete(answered));
  });
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  server.maxConnections = 64;
  const port = await listen(server);
  server.unref(); // an open door is no reason for a process to stay
  const file = toControlFile(ledgerFile);
  try {
    writeAddress(file, { pid: process.pid, port, token });
  } catch (error) {
    server.close();
    throw new TuttiError("LEDGER_UNWRITABLE", `${file} can't be written`, {
      hint: "It tells other processes how to reach this engine.",
      cause: error,
    });
  }
  return {
    port,
    async close() {
      removeAddress(file, token);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Whoever asked for what ends this engine (a pause, a cancel) still gets its answer.
      await Promise.race([
        Promise.allSettled(open),
        new Promise((resolve) => setTimeout(resolve, closeGraceMs).unref()),
      ]);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  server.unref(); // an engine with nothing left to do may end
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

// Another process may read at any moment, so the file appears whole, and never with wider rights.
function writeAddress(file: string, address: ControlAddress): void {
  const unfinished = `${file}.${process.pid}.new`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, `${JSON.stringify(address)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(unfinished, file);
}

/** Removes the note, unless a later engine has written its own. */
function removeAddress(file: string, token: string): void {
  try {
    if (readFileSync(file, "utf8").includes(token)) rmSync(file, { force: true });
  } catch {
    // It is gone already.
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(tutti: Tutti, token: string, exchange: Exchange): Promise<void> {
  try {
    const refusal = findRefusal(exchange.request, token);
    if (refusal !== undefined) await send(exchange, refusal.status, { error: { code: "USAGE", message: refusal.why } });
    else await send(exchange, 200, await perform(tutti, exchange.request));
  } catch (error) {
    const stored = toStoredError(error instanceof ShapeError ? toUsage(error) : toTuttiError(error, "BUG"));
    await send(exchange, toStatus(stored.code), { error: stored });
  }
}

/** Who may not come in: web pages (they send an origin, or reach us under another name), and whoever lacks the token. */
function findRefusal(
  request: IncomingMessage,
  token: string,
): { readonly status: number; readonly why: string } | undefined {
  const { host: named = "", origin, authorization = "" } = request.headers;
  if (origin !== undefined) return { status: 403, why: "requests from web pages are not taken" };
  if (!/^(?:127\.0\.0\.1|localhost):\d+$/u.test(named)) return { status: 403, why: "the host is not this one" };
  if (!isSame(authorization, `Bearer ${token}`)) return { status: 401, why: "the token is missing or wrong" };
  if (request.method !== "POST") return { status: 405, why: "commands are posted" };
  return isControlCommand(toCommandName(request)) ? undefined : { status: 404, why: "there is no such command" };
}

function isSame(given: string, wanted: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(wanted)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function toCommandName(request: IncomingMessage): string {
  return (request.url ?? "").replace(/^\//u, "");
}

/** @throws TuttiError, ShapeError */
async function perform(tutti: Tutti, request: IncomingMessage): Promise<unknown> {
  const name = toCommandName(request);
  const body = await readBody(request);
  return isControlCommand(name) ? performCommand(tutti, name, controlCommands[name](body, "")) : {};
}

/** @throws TuttiError USAGE */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > bodyBytesMax)
      throw new TuttiError("USAGE", `a command may have ${bodyBytesMax} bytes`, { facts: { bytesMax: bodyBytesMax } });
    chunks.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw new TuttiError("USAGE", "the command's body is not JSON", { cause: error });
  }
}

function toUsage(error: ShapeError): TuttiError {
  return new TuttiError("USAGE", error.message, { cause: error });
}

function toStatus(code: ErrorCode): number {
  if (code === "USAGE" || code === "INPUT_INVALID") return 400;
  if (code === "RUN_UNKNOWN" || code === "EFFECT_UNKNOWN" || code === "APPROVAL_UNKNOWN") return 404;
  return code === "BUG" ? 500 : 409;
}

/** Resolves when the answer has left this process, or can't. */
async function send({ request, response }: Exchange, status: number, body: unknown): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const content = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", connection: "close" });
  await new Promise<void>((resolve) => {
    response.on("close", resolve);
    response.end(content, resolve);
  });
  // What is left of a body that was refused is not read, so the connection can't be used again.
  if (!request.complete) request.destroy();
}
