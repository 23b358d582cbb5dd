import { readFileSync } from "node:fs";

import { fromStoredError, TuttiError } from "../base/errors.ts";
import { fields, integer, text, type Shape } from "../base/shape.ts";
import { storedError } from "../contracts/entry-bodies.ts";
import { controlAnswers, type ControlAnswer, type ControlCommand, type ControlRequest } from "./control-commands.ts";
import { toControlFile, type ControlAddress } from "./control-file.ts";

/** Talks to the engine that holds a ledger, from another process. */
export interface ControlClient {
  readonly pid: number;
  /** @throws TuttiError what the engine answered, or ENGINE_UNREACHABLE */
  send<Command extends ControlCommand>(
    command: Command,
    request: ControlRequest<Command>,
  ): Promise<ControlAnswer<Command>>;
}

// Not imported, because that would load much more: see control-endpoint.ts.
const { request: httpRequest } = process.getBuiltinModule("node:http");

const addressShape: Shape<ControlAddress> = fields({ pid: integer, port: integer, token: text });
const pingTimeoutMs = 2_000;
// A pause waits until what is going on has come to its recorded end.
const commandTimeoutMs = 120_000;

/** The engine that holds this ledger, if one answers. A note that an engine left behind when it died counts as none. */
export async function findEngine(ledgerFile: string): Promise<ControlClient | undefined> {
  const address = readAddress(toControlFile(ledgerFile));
  if (address === undefined) return undefined;
  try {
    const answer = await post(address, { command: "ping", body: {}, timeoutMs: pingTimeoutMs });
    if (answer.status !== 200) return undefined;
  } catch {
    return undefined; // nobody listens there any more
  }
  return {
    pid: address.pid,
    async send(command, request) {
      const answer = await post(address, { command, body: request, timeoutMs: commandTimeoutMs });
      if (answer.status !== 200) throw toAnsweredError(answer, address);
      return parseAnswer(command, answer.body, address);
    },
  };
}

function readAddress(file: string): ControlAddress | undefined {
  try {
    return addressShape(JSON.parse(readFileSync(file, "utf8")), "");
  } catch {
    return undefined; // missing, or torn by a crash
  }
}

interface Posting {
  readonly command: ControlCommand;
  readonly body: unknown;
  readonly timeoutMs: number;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

// node:http starts in a fraction of the time that fetch needs, and this runs in short-lived commands.
function post(address: ControlAddress, { command, body, timeoutMs }: Posting): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${address.token}`, "content-type": "application/json" };
    const fail = (error: unknown): void => reject(toUnreachable(address.pid, error));
    const request = httpRequest(
      { host: "127.0.0.1", port: address.port, path: `/${command}`, method: "POST", headers, timeout: timeoutMs },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString("utf8")) });
          } catch (error) {
            fail(error);
          }
        });
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on("error", fail);
    request.end(JSON.stringify(body ?? {}));
  });
}

function parseAnswer<Command extends ControlCommand>(
  command: Command,
  body: unknown,
  address: ControlAddress,
): ControlAnswer<Command> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each command has its own shape; TypeScript can't follow the index
    return controlAnswers[command](body, "") as ControlAnswer<Command>;
  } catch (error) {
    throw toUnreachable(address.pid, error);
  }
}

function toAnsweredError(answer: Answer, address: ControlAddress): TuttiError {
  try {
    return fromStoredError(fields({ error: storedError })(answer.body, "").error);
  } catch (error) {
    return toUnreachable(address.pid, error);
  }
}

/** The ledger is held, and its holder does not answer. */
export function toUnreachable(pid: number | undefined, cause: unknown): TuttiError {
  const who = pid === undefined ? "a running engine" : `process ${pid}`;
  return new TuttiError("ENGINE_UNREACHABLE", `${who} holds the ledger but does not answer on its control endpoint`, {
    hint:
      pid === undefined
        ? "Try again; if it stays so, stop the process that holds the ledger."
        : `Try again; if it stays so, stop process ${pid}: its runs go on when an engine is up again.`,
    facts: pid === undefined ? {} : { pid },
    cause,
  });
}
