import { openTutti } from "../engine/open-tutti.ts";
import type { Tutti, TuttiOptions } from "../engine/tutti.ts";
import type { Durability } from "../ledger/ledger.ts";
import { toUsage } from "./command-line.ts";
import type { CommandCall } from "./command.ts";
import { toLedgerPath } from "./ledger-file.ts";
import { loadConfig } from "./load-config.ts";
import type { FlowFile } from "./load-flows.ts";

/**
 * Opens an engine for the flows of a file, with the project's configuration. Unless it recovers, only the run that is asked for is driven: what
 * else is open in the ledger is left to `tutti resume`.
 * @throws TuttiError CONFIG_INVALID, LEDGER_BUSY and what else opening a ledger can say
 */
export async function openEngine(
  call: CommandCall,
  file: FlowFile,
  how: Pick<TuttiOptions, "onActivity" | "recover">,
): Promise<Tutti> {
  const path = toLedgerPath(call);
  const durability = readDurability(call.text("durability"));
  const { config } = await loadConfig(file.path);
  // What a file of flows says can't loosen what its project demands.
  const { policy, people, approvals, grants, identity } = config;
  const governance = {
    ...(policy && { policy }),
    ...(people && { people }),
    ...(approvals && { approvals }),
    ...(grants && { grants }),
    ...(identity && { identity }),
  };
  return openTutti({
    flows: [...file.flows, ...file.toolFlows],
    tools: [...(config.tools ?? []), ...file.tools],
    servers: config.servers ?? [],
    // What a file of flows says for itself is closer.
    models: { ...config.models, ...file.models },
    limits: { ...config.limits, ...file.protection.limits },
    budgets: { ...config.budgets, ...file.protection.budgets },
    ...(config.telemetry === undefined ? {} : { telemetry: config.telemetry }),
    ...governance,
    ledger: path,
    recover: false,
    ...how,
    ...(durability === undefined ? {} : { durability }),
  });
}

function readDurability(typed: string | undefined): Durability | undefined {
  if (typed === undefined || typed === "power" || typed === "process") return typed;
  throw toUsage(`--durability is power or process, not "${typed}"`, "--durability power");
}
