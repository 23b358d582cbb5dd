import { open } from "node:fs/promises";

import { TuttiError } from "../../base/errors.ts";
import { readOverrides } from "../../insight/oversight/overrides.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { sayJson, tell } from "../output.ts";

/** `tutti overrides export`: labelled examples, one a line. */
export async function run(call: CommandCall): Promise<ExitCode> {
  if (call.operand("export") !== "export")
    throw toUsage("overrides are exported", "tutti overrides export --to file.jsonl");
  const path = call.text("to");
  await withReader(toLedgerPath(call), async (ledger) => {
    if (path === undefined) {
      for await (const override of readOverrides(ledger)) sayJson(override);
      return;
    }
    const file = await openNew(path);
    try {
      let count = 0;
      for await (const override of readOverrides(ledger)) {
        await file.appendFile(`${JSON.stringify(override)}\n`);
        count += 1;
      }
      await file.sync();
      tell(`${count} overrides are in ${path}.`);
    } finally {
      await file.close();
    }
  });
  return exitCodes.done;
}

/** A file that is there is never written over. */
async function openNew(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  try {
    return await open(path, "wx");
  } catch (cause) {
    throw new TuttiError("USAGE", `${path} can't be written, or is there already`, {
      hint: "Name a file that does not exist yet, in a folder that does.",
      cause,
    });
  }
}
