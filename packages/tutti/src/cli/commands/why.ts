import { toStepKey } from "../../contracts/ids.ts";
import { whyOf, type Reason } from "../../insight/why.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, stdoutColumns, stdoutPaint } from "../output.ts";
import { readCount } from "../read-value.ts";
import { toColumns, toPlainLine, type Paint } from "../terminal-text.ts";

/** `tutti why`: what led to a result, as an outline of sentences. */
export function run(call: CommandCall): Promise<ExitCode> {
  return withReader(toLedgerPath(call), async (ledger) => {
    const { id } = await findNamedRun(ledger, call.operand("run"));
    const depth = readCount(call.text("depth"), "depth");
    const step = call.optional("step");
    const entries = await ledger.read(id);
    const reason = whyOf(
      entries,
      step === undefined ? undefined : toStepKey(step),
      depth === undefined ? {} : { depthMax: depth },
    );
    if (call.flag("json")) sayJson(reason);
    else for (const line of toOutline(reason, stdoutPaint(), stdoutColumns())) say(line);
    return exitCodes.done;
  });
}

interface Branch {
  readonly reason: Reason;
  /** What stands before its first line and before the others. */
  readonly first: string;
  readonly rest: string;
}

function toOutline(root: Reason, paint: Paint, columns: number): readonly string[] {
  const lines: string[] = [];
  const open: Branch[] = [{ reason: root, first: "", rest: "" }];
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    const { reason, first, rest } = branch;
    const seq = reason.seq === undefined ? "" : ` [${reason.seq}]`;
    const wrapped = wrap(toPlainLine(reason.sentence) + seq, Math.max(20, columns - toColumns(rest)));
    lines.push(
      ...wrapped.map(
        (text, index) =>
          paint("dim", index === 0 ? first : rest) +
          (reason.kind === "known" || reason.kind === "cut" ? paint("dim", text) : text),
      ),
    );
    const { because } = reason;
    for (const [index, below] of [...because.entries()].toReversed()) {
      const isLast = index === because.length - 1;
      open.push({ reason: below, first: `${rest}${isLast ? "└ " : "├ "}`, rest: `${rest}${isLast ? "  " : "│ "}` });
    }
  }
  return lines;
}

function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && toColumns(line) + 1 + toColumns(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
