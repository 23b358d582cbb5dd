import type { PolicyVerdict } from "../../contracts/policy.ts";
import { replayPolicy, type PolicyReplay } from "../../insight/replay-policy.ts";
import type { PolicyFinding } from "../../policy/cedar/read-rules.ts";
import { findFailedCases, parseCases } from "../../policy/policy-cases.ts";
import { checkPolicy, loadPolicy, readPolicyText } from "../../policy/policy.ts";
import { toUsage, toUsageLine } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, stdoutPaint } from "../output.ts";
import { readCount, readValue } from "../read-value.ts";
import { toNumberOf, toPlainLine } from "../terminal-text.ts";

/** `tutti policy`: whether a policy can be used, says what it shall, and what it would have said. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const verb = call.operand("check|test|replay");
  if (verb !== "test" && call.optional("cases") !== undefined)
    throw toUsage(`${verb} takes one file`, toUsageLine(call.spec));
  switch (verb) {
    case "check":
      return check(call);
    case "test":
      return test(call);
    case "replay":
      return replay(call);
    default:
      throw toUsage(`policy can't "${verb}"`, toUsageLine(call.spec));
  }
}

async function check(call: CommandCall): Promise<ExitCode> {
  const file = call.operand("file");
  const findings = await checkPolicy(await readPolicyText(file));
  if (call.flag("json")) for (const finding of findings) sayJson(finding);
  else showFindings(file, findings);
  return findings.some(({ severity }) => severity === "error") ? exitCodes.failed : exitCodes.done;
}

function showFindings(file: string, findings: readonly PolicyFinding[]): void {
  const paint = stdoutPaint();
  for (const { severity, line, rule, problem, hint } of findings) {
    const place = `${file}:${line}${rule === undefined ? "" : ` (${rule})`}`;
    say(`${paint(severity === "error" ? "red" : "yellow", severity)}  ${toPlainLine(`${place}: ${problem}`)}`);
    if (hint !== undefined) say(`  ${paint("bold", "→")} ${toPlainLine(hint)}`);
  }
  if (findings.length === 0) say(`${file} can be used`);
}

async function test(call: CommandCall): Promise<ExitCode> {
  const cases = call.optional("cases");
  if (cases === undefined) throw toUsage("policy test needs <cases>", toUsageLine(call.spec));
  const wanted = parseCases(await readValue(`@${cases}`, "the cases"));
  const policy = await loadPolicy(call.operand("file"));
  const failed = findFailedCases(policy, wanted);
  if (call.flag("json")) {
    for (const each of failed) sayJson(each);
  } else {
    const paint = stdoutPaint();
    for (const { name, wanted: verdict, got } of failed) {
      say(`${paint("red", "✗")} ${toPlainLine(name)}`);
      say(`  wanted ${toPlainLine(JSON.stringify(verdict))}`);
      say(`  got    ${toPlainLine(describe(got))}`);
    }
    say(`${wanted.length - failed.length} of ${toNumberOf(wanted.length, "case")} are decided as wanted`);
  }
  return failed.length === 0 ? exitCodes.done : exitCodes.failed;
}

async function replay(call: CommandCall): Promise<ExitCode> {
  const differencesMax = readCount(call.text("limit"), "limit");
  const policy = await loadPolicy(call.operand("file"));
  const found = await withReader(toLedgerPath(call), (ledger) =>
    replayPolicy(ledger, policy, differencesMax === undefined ? {} : { differencesMax }),
  );
  if (call.flag("json")) sayJson(found);
  else showReplay(found);
  return exitCodes.done;
}

function showReplay({ decisions, same, changes, differences, firings }: PolicyReplay): void {
  const paint = stdoutPaint();
  say(`${toNumberOf(decisions, "decision")}, ${decisions - same} of them otherwise`);
  for (const [change, count] of Object.entries(changes)) say(`  ${String(count).padStart(6)}  ${change}`);
  for (const difference of differences) {
    const { step, at, recorded, now } = difference;
    const { action, resource } = difference.request;
    say(toPlainLine(`${new Date(at).toISOString()}  ${difference.run} ${step}  ${action} ${resource.name}`));
    say(paint("dim", toPlainLine(`  was ${describe(recorded)}`)));
    say(toPlainLine(`  now ${describe(now)}`));
  }
  const idle = Object.keys(firings).filter((rule) => firings[rule] === 0);
  if (idle.length > 0) say(toPlainLine(`never fired: ${idle.join(", ")}`));
}

function describe(verdict: PolicyVerdict): string {
  const rules = verdict.rules.length === 0 ? "" : ` by ${verdict.rules.join(", ")}`;
  return `${verdict.kind}${rules}${verdict.kind === "allow" ? "" : `: ${verdict.why}`}`;
}
