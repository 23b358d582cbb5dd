import { isTuttiError } from "../base/errors.ts";
import { findEngine, toUnreachable } from "../engine/control-client.ts";
import type { ControlAnswer, ControlCommand, ControlRequest } from "../engine/control-commands.ts";
import type { TuttiOptions } from "../engine/tutti.ts";
import { findLedgerFile } from "./ledger-file.ts";

/** Carries commands to the runs of a ledger: through the engine that holds it, or by opening the ledger itself. */
export interface Steering {
  /** False: nobody drives these runs now, so what was commanded waits for the next engine. */
  readonly isDriven: boolean;
  /** @throws TuttiError what the engine answers, or ENGINE_UNREACHABLE */
  send<Command extends ControlCommand>(
    command: Command,
    request: ControlRequest<Command>,
  ): Promise<ControlAnswer<Command>>;
}

const triesMax = 10;
const pauseMs = 200;

/**
 * Finds whoever may write to the ledger. An engine takes the ledger a moment before it listens, so a held ledger without an endpoint is
 * asked again for a while.
 * @throws TuttiError SOURCE_UNREADABLE, ENGINE_UNREACHABLE
 */
export async function withSteering<Result>(
  path: string,
  work: (steering: Steering) => Promise<Result>,
  options: Pick<TuttiOptions, "people" | "policy"> = {},
): Promise<Result> {
  const file = findLedgerFile(path);
  let busy: unknown;
  for (let tries = 0; tries < triesMax; tries++) {
    const engine = await findEngine(file);
    if (engine !== undefined)
      return work({ isDriven: true, send: (command, request) => engine.send(command, request) });
    const { openTutti } = await import("../engine/open-tutti.ts");
    const tutti = await openTutti({ flows: [], ledger: file, recover: false, ...options }).catch((error: unknown) => {
      if (!isTuttiError(error) || error.code !== "LEDGER_BUSY") throw error;
      busy = error;
    });
    if (tutti !== undefined) {
      try {
        const { performCommand } = await import("../engine/perform-command.ts");
        return await work({ isDriven: false, send: (command, request) => performCommand(tutti, command, request) });
      } finally {
        await tutti.close();
      }
    }
    await new Promise((resolve) => void setTimeout(resolve, pauseMs));
  }
  const pid = isTuttiError(busy) ? busy.facts["pid"] : undefined;
  throw toUnreachable(typeof pid === "number" ? pid : undefined, busy);
}
