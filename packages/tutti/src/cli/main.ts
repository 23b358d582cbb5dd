import { createRequire } from "node:module";
import { constants } from "node:os";

import { toTuttiError, type TuttiError } from "../base/errors.ts";
import { watchEnvironment } from "../base/known-secrets.ts";
import { parseCommandLine } from "./command-line.ts";
import { commands } from "./command-table.ts";
import { toErrorLine, toErrorText } from "./error-text.ts";
import { exitCodes, toExitCode, type ExitCode } from "./exit-codes.ts";
import { drainOutput, guardOutput, put, reserveStandardOutput, say, stderrPaint } from "./output.ts";

/** Runs one command line to its end and leaves the process with the code that says how it went. */
export async function main(args: readonly string[]): Promise<never> {
  watchEnvironment(process.env);
  guardOutput();
  // Whoever reads our output may have seen enough; the command goes on, and a run most of all.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignoreClosedPipe);
  const fail = (error: unknown): void => {
    complain(args, toTuttiError(error, "BUG"));
    void leave(exitCodes.failed);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  // Leaving this way gives a terminal its cursor back; the run stays in the ledger.
  for (const signal of ["SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  return leave(await perform(args));
}

async function perform(args: readonly string[]): Promise<ExitCode> {
  try {
    const line = parseCommandLine(args, commands);
    switch (line.kind) {
      case "version":
        say(`tutti ${readVersion()}`);
        return exitCodes.done;
      case "help": {
        const { toCommandHelp, toHelp } = await import("./help.ts");
        put(line.command === undefined ? toHelp(commands) : toCommandHelp(line.command));
        return args.length === 0 ? exitCodes.usage : exitCodes.done;
      }
      case "call": {
        if (line.json) reserveStandardOutput();
        const { run } = await line.call.spec.load();
        return await run(line.call);
      }
    }
  } catch (error) {
    const known = toTuttiError(error, "BUG");
    complain(args, known);
    return toExitCode(known.code);
  }
}

function complain(args: readonly string[], error: TuttiError): void {
  if (args.includes("--json")) put(toErrorLine(error));
  else process.stderr.write(toErrorText(error, stderrPaint()));
}

async function leave(code: ExitCode): Promise<never> {
  await drainOutput();
  process.exit(code);
}

function ignoreClosedPipe(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}

function readVersion(): string {
  const parsed: unknown = createRequire(import.meta.url)("tutti/package.json");
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "unknown";
}
