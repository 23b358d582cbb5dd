import type { CommandCall } from "../command.ts";
import { examine } from "../doctor/examine.ts";
import { renderExamination } from "../doctor/render.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { say, sayJson, stdoutColumns, stdoutPaint } from "../output.ts";

/** `tutti doctor`: whether a project needs orchestration, and what is missing before production. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const examined = await examine(call.optional("file") ?? ".", { ledger: call.text("ledger") });
  const { findings, ...rest } = examined;
  if (call.flag("json")) for (const line of [rest, ...findings]) sayJson(line);
  else for (const line of renderExamination(examined, { paint: stdoutPaint(), columns: stdoutColumns() })) say(line);
  return findings.some(({ severity }) => severity === "error") ? exitCodes.failed : exitCodes.done;
}
