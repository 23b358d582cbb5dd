import { existsSync } from "node:fs";

import { isTuttiError } from "../base/errors.ts";
import type { RunId } from "../contracts/ids.ts";
import { findEngine, type ControlClient } from "../engine/control-client.ts";
import type { ControlAnswer, ControlCommand, ControlRequest } from "../engine/control-commands.ts";
import { isJustOpened } from "../ledger/sqlite/lock.ts";
import type { SlotUse } from "../limits/slot-use.ts";
import { findLedgerFile } from "./ledger-file.ts";

/** What is in use and who waits, in the engine that holds the ledger. Nothing where none does: then nobody waits for a turn. */
export async function askSlots(path: string): Promise<readonly SlotUse[]> {
  const answer = await ask(path, "slots", {});
  return answer?.slots ?? [];
}

/** The limits that runs wait for, by run; of those that wait for one. */
export async function askWaits(
  path: string,
  runs: readonly RunId[],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const answer = await ask(path, "waits", { runs });
  return answer?.waits ?? {};
}

async function ask<Command extends ControlCommand>(
  path: string,
  command: Command,
  request: ControlRequest<Command>,
): Promise<ControlAnswer<Command> | undefined> {
  const engine = existsSync(path) ? await findListening(findLedgerFile(path)) : undefined;
  try {
    return await engine?.send(command, request);
  } catch (error) {
    if (isTuttiError(error) && error.code === "ENGINE_UNREACHABLE") return undefined; // it has just ended
    throw error;
  }
}

const triesMax = 50;
const pauseMs = 20;

/** An engine that has just opened its ledger is waited for: it listens a moment later. For a second at most, since it may have no endpoint. */
async function findListening(file: string): Promise<ControlClient | undefined> {
  for (let tries = 1; ; tries++) {
    const engine = await findEngine(file);
    if (engine !== undefined || tries === triesMax || !isJustOpened(file)) return engine;
    await new Promise((resolve) => void setTimeout(resolve, pauseMs));
  }
}
