import { systemClock, type Clock } from "../../base/clock.ts";
import type { ToolHost } from "../../contracts/callable.ts";
import { toBubblewrapArguments, type SandboxLimits } from "./bubblewrap-arguments.ts";
import { checkCodeInput } from "./check-code-input.ts";
import { codeLimits, type CodeInput, type CodeLanguage, type CodeOutput, type CodeProvider } from "./code-provider.ts";
import { openPlaces } from "./places.ts";
import { parseJsonSafely, type ProgramEnd } from "./program-end.ts";
import { runProgram, type Ran } from "./run-program.ts";

export interface BubblewrapOptions {
  /** Of python, bash and node; all three by default. */
  readonly languages?: readonly Exclude<CodeLanguage, "javascript">[];
  /** 10,000 by default. */
  readonly timeoutMs?: number;
  /** What one process may allocate; 512 MB by default. */
  readonly memoryBytesMax?: number;
  /** What files may hold together, in memory; 64 MB by default. */
  readonly filesBytesMax?: number;
  /** 64 by default. */
  readonly processesMax?: number;
  /** Programs at a time; 2 by default. */
  readonly concurrency?: number;
  readonly clock?: Clock;
}

const defaults = {
  languages: ["python", "bash", "node"],
  timeoutMs: 10_000,
  memoryBytesMax: 512_000_000,
  filesBytesMax: 64_000_000,
  processesMax: 64,
  concurrency: 2,
} as const;
const waitingMax = 256;
/** Adds to what the shell says itself of a signal: 128 and its number. */
const killedByTime = new Set([128 + 24, 128 + 26]);

/**
 * Runs programs of this machine (python3, bash, node) in namespaces of their own, made by bubblewrap: the system's programs can be read,
 * nothing else of the machine can; there is no network; files are in memory and gone afterwards. For Linux, where `bwrap` is installed and may
 * make user namespaces. The program is started in a folder with `input.json`; what it leaves in `result.json` is its result.
 */
export function bubblewrapCode(options: BubblewrapOptions = {}): CodeProvider {
  const { languages, timeoutMs, concurrency, ...limits } = { ...defaults, ...options };
  const clock = options.clock ?? systemClock;
  const places = openPlaces(concurrency, waitingMax);
  return {
    name: "bubblewrap",
    languages,
    async run(input: CodeInput, { signal }: ToolHost): Promise<CodeOutput> {
      checkCodeInput(input);
      const language = input.language ?? languages[0] ?? "python";
      const sandbox: SandboxLimits = { ...limits, timeSecondsMax: Math.ceil(timeoutMs / 1_000) + 1 };
      const ran = await places.use(signal, () =>
        runProgram(
          {
            command: "bwrap",
            args: toBubblewrapArguments(language, sandbox),
            program: input.code,
            input: JSON.stringify(input.input ?? null),
            timeoutMs,
          },
          { signal, clock },
        ),
      );
      return { ...toEnd(ran), console: ran.lines, consoleDropped: ran.linesDropped };
    },
  };
}

function toEnd(ran: Ran): ProgramEnd {
  if (ran.kind === "stopped") return { kind: "stopped", limit: ran.limit };
  if (killedByTime.has(ran.exitCode)) return { kind: "stopped", limit: "time" };
  if (ran.exitCode !== 0) {
    const message = ran.lines.at(-1) ?? "it said nothing";
    return { kind: "failed", failure: { name: `Exit${ran.exitCode}`, message } };
  }
  if (ran.result.length > codeLimits.resultCharsMax) return { kind: "stopped", limit: "output" };
  if (ran.result.trim() === "") return { kind: "done", result: null };
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by JSON.parse
    return { kind: "done", result: parseJsonSafely(ran.result) as Extract<ProgramEnd, { kind: "done" }>["result"] };
  } catch {
    return { kind: "failed", failure: { name: "ResultInvalid", message: "result.json holds no JSON" } };
  }
}
