import type { ComparedRun, ComparedSide, ComparedStep, Comparison } from "../../contracts/api/comparison.ts";
import type { RunRecord } from "../../contracts/run-record.ts";
import { compareRuns, type RunToCompare } from "../../insight/compare/compare-runs.ts";
import { applyToScore, emptyScore } from "../../insight/score/score-state.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, stdoutPaint, tell } from "../output.ts";
import { toDuration, toNumberOf, toPlainLine, toUsd, type Paint } from "../terminal-text.ts";

/** `tutti diff`: two runs of one flow beside each other. */
export function run(call: CommandCall): Promise<ExitCode> {
  return withReader(toLedgerPath(call), async (ledger) => {
    const right = await read(ledger, await findNamedRun(ledger, call.operand("run")));
    const named = call.optional("other") ?? right.score.tree.forkedFrom?.run;
    if (named === undefined)
      throw toUsage(
        `${right.score.tree.run} is no fork, so it takes another run to compare it with`,
        "tutti diff <run> <other>",
      );
    const other = await read(ledger, await findNamedRun(ledger, named));
    // What a fork changed is read as a change of its origin.
    const isFork = call.optional("other") === undefined;
    const comparison = isFork ? compareRuns(other, right) : compareRuns(right, other);
    if (call.flag("json")) sayJson(comparison);
    else print(comparison, stdoutPaint());
    return exitCodes.done;
  });
}

async function read(ledger: Ledger, { id, status }: RunRecord): Promise<RunToCompare> {
  const entries = await ledger.read(id);
  const score = emptyScore();
  applyToScore(score, entries);
  return { entries, score, status };
}

/** Differing steps that are printed; `--json` has all of them. */
const printedMax = 100;

function print(comparison: Comparison, paint: Paint): void {
  const { left, right, steps, alike, differing, sharedSteps, sharedEntries, divergesAt } = comparison;
  say(paint("red", `- ${toRunLine(left)}`));
  say(paint("green", `+ ${toRunLine(right)}`));
  if (sharedEntries > 0)
    say(`${toNumberOf(sharedSteps, "step")} and ${toNumberOf(sharedEntries, "entry", "entries")} are shared.`);
  say(`${toNumberOf(alike, "step")} alike, ${differing} differing.`);
  if (divergesAt === undefined) say("They did not go different ways.");
  const shown = steps.filter(({ differs }) => differs.length > 0);
  for (const step of shown.slice(0, printedMax)) {
    const mark = step.path === divergesAt ? paint("bold", "  ← here they part") : "";
    say(`\n${toPlainLine(step.path)}  ${paint("dim", step.differs.join(", "))}${mark}`);
    for (const line of toSides(step, paint)) say(line);
  }
  if (differing > printedMax) tell(`There are ${differing - printedMax} more; --json has them all.`);
}

function toSides({ left, right }: ComparedStep, paint: Paint): readonly string[] {
  return [
    paint("red", `  - ${left === undefined ? "not there" : toSideLine(left)}`),
    paint("green", `  + ${right === undefined ? "not there" : toSideLine(right)}`),
  ];
}

function toSideLine({ state, output, error, costUsd, tookMs, confidence }: ComparedSide): string {
  const facts = [
    state,
    error === undefined ? (output ?? "") : `${error.code}: ${error.message}`,
    confidence === undefined ? "" : `${Math.round(confidence * 100)}% sure`,
    costUsd === undefined ? "" : toUsd(costUsd),
    tookMs === undefined ? "" : toDuration(tookMs),
  ];
  return toPlainLine(facts.filter(Boolean).join("  "));
}

function toRunLine({ run: id, version, status, steps, retries, spent, tookMs, output, error }: ComparedRun): string {
  const facts = [
    `${id}  ${status}`,
    `version ${version}`,
    toNumberOf(steps, "step"),
    retries === 0 ? "" : toNumberOf(retries, "retry", "retries"),
    toUsd(spent.costUsd),
    tookMs === undefined ? "" : toDuration(tookMs),
    error === undefined ? (output ?? "") : `${error.code}: ${error.message}`,
  ];
  return toPlainLine(facts.filter(Boolean).join("  "));
}
