import { existsSync, realpathSync } from "node:fs";

import { openControlEndpoint } from "../engine/control-endpoint.ts";
import { openTutti } from "../engine/open-tutti.ts";
import type { Activity, Tutti } from "../engine/tutti.ts";
import type { Durability } from "../ledger/ledger.ts";
import { toUsage } from "./command-line.ts";
import type { CommandCall } from "./command.ts";
import { toLedgerPath } from "./ledger-file.ts";
import type { FlowFile } from "./load-flows.ts";

/**
 * Opens an engine for the flows of a file, with a door for other commands. Only the run that is asked for is driven: what else is open in
 * the ledger is left to `tutti resume`.
 * @throws TuttiError LEDGER_BUSY and what else opening a ledger can say
 */
export async function openEngine(
  call: CommandCall,
  file: FlowFile,
  onActivity: (activity: Activity) => void,
): Promise<Tutti> {
  const path = toLedgerPath(call);
  const durability = readDurability(call.text("durability"));
  const { flows, tools, models } = file;
  const tutti = await openTutti({
    flows,
    tools,
    models,
    ledger: path,
    recover: false,
    onActivity,
    ...(durability === undefined ? {} : { durability }),
  });
  if (!existsSync(path)) return tutti;
  const endpoint = await openControlEndpoint(tutti, realpathSync(path));
  return {
    ...tutti,
    async close() {
      await endpoint.close();
      await tutti.close();
    },
  };
}

function readDurability(typed: string | undefined): Durability | undefined {
  if (typed === undefined || typed === "power" || typed === "process") return typed;
  throw toUsage(`--durability is power or process, not "${typed}"`, "--durability power");
}
