import { TuttiError } from "../../base/errors.ts";
import { checkUpgrade, type CheckedRun } from "../check-upgrade.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath } from "../ledger-file.ts";
import { loadConfig } from "../load-config.ts";
import { loadFlows } from "../load-flows.ts";
import { say, sayJson, stdoutPaint } from "../output.ts";
import { toNumberOf, toPlainLine, type Paint } from "../terminal-text.ts";

/** `tutti upgrade check`: what would become of every open run if this code were deployed now. */
export async function run(call: CommandCall): Promise<ExitCode> {
  if (call.operand("check") !== "check")
    throw toUsage(`there is no "upgrade ${call.operand("check")}"`, "tutti upgrade check <file>");
  const path = call.operand("file");
  const { flows, models } = await loadFlows(path);
  if (flows.length === 0)
    throw new TuttiError("FLOW_FILE_INVALID", `${path} exports no flow`, {
      hint: "Name the file that exports the flows.",
    });
  const { config } = await loadConfig(path);
  const checked = await checkUpgrade({ ledger: toLedgerPath(call), flows, models: { ...config.models, ...models } });
  if (call.flag("json")) for (const each of checked) sayJson(toRow(each));
  else for (const line of render(checked, path, stdoutPaint())) say(line);
  return checked.some(isStuck) ? exitCodes.failed : exitCodes.done;
}

const nextMax = 3;

function isStuck({ outcome }: CheckedRun): boolean {
  return outcome.kind === "stops" || outcome.kind === "no-version";
}

function toRow({ run: record, outcome }: CheckedRun): Readonly<Record<string, unknown>> {
  const { id, flow, version, status } = record;
  const row = { run: id, flow, version, status, outcome: outcome.kind };
  switch (outcome.kind) {
    case "goes-on":
      return { ...row, recorded: outcome.recorded, next: outcome.next };
    case "stops":
      return { ...row, code: outcome.error.code, message: outcome.error.message, facts: outcome.error.facts };
    default:
      return row;
  }
}

function render(checked: readonly CheckedRun[], path: string, paint: Paint): readonly string[] {
  if (checked.length === 0) return [`${paint("green", "✓")} No run is open: ${path} can be deployed.`];
  const stuck = checked.filter(isStuck);
  const lines = checked
    .toSorted((left, right) => Number(isStuck(right)) - Number(isStuck(left)))
    .flatMap((each) => renderRun(each, paint));
  const summary =
    stuck.length === 0
      ? paint(["bold", "green"], `Every open run of its flows goes on.`)
      : paint(["bold", "red"], `${toNumberOf(stuck.length, "run")} of ${checked.length} could not go on.`);
  return [...lines, "", summary];
}

function renderRun({ run: record, outcome }: CheckedRun, paint: Paint): readonly string[] {
  const { id, flow, version, status } = record;
  const about = paint("dim", `${flow}@${version}, ${status}`);
  switch (outcome.kind) {
    case "goes-on":
      return [
        `${paint("green", "✓")} ${id}  ${about}  goes on after ${toNumberOf(outcome.recorded, "recorded result")}${outcome.next.length === 0 ? "" : `, with ${outcome.next.slice(0, nextMax).join(", ")}`}`,
      ];
    case "stops":
      return [
        `${paint("red", `✗ ${id}`)}  ${about}  ${paint("bold", outcome.error.code)}`,
        `    ${toPlainLine(outcome.error.message)}`,
        ...(outcome.error.hint === undefined ? [] : [`    ${paint("bold", "→")} ${toPlainLine(outcome.error.hint)}`]),
      ];
    case "no-version":
      return [
        `${paint("red", `✗ ${id}`)}  ${about}  its version is not in this file`,
        `    ${paint("bold", "→")} Register version ${version} beside the new one until its runs are done.`,
      ];
    case "elsewhere":
      return [`${paint("dim", "·")} ${id}  ${about}  its flow is not in this file`];
  }
}
