import type { ApprovalPackage } from "../contracts/approval-package.ts";
import type { ApprovalRecord } from "../contracts/approval.ts";
import { toMoment, toNumberOf, toPlainLine, toUsd } from "./terminal-text.ts";

const sawDigits = 8;

/** How an approval is named on the command line: its id with the beginning of the hash of what was shown, so that a vote is on that. */
export function toTypedId({ id, package: shown }: ApprovalRecord): string {
  return `${id}:${shown.slice(0, sawDigits)}`;
}

/** An approval as it was typed: what is before the colon names it, what is after it says what was looked at. */
export function readTypedId(typed: string): { readonly id: string; readonly saw: string | undefined } {
  const [id = "", saw] = typed.split(":");
  return { id, saw };
}

/** An approval in a few lines, for a list. */
export function toInboxLines(approval: ApprovalRecord, now: number): readonly string[] {
  const { kind, about, run, step, dueAt, stage, stages, votes } = approval;
  const yes = votes.filter(({ verdict }) => verdict === "approve").length;
  const place = stages.length > 1 ? `, stage ${stage + 1} of ${stages.length}` : "";
  const so = yes === 0 ? "" : `, ${toNumberOf(yes, "yes", "yes")} so far`;
  return [
    `${toTypedId(approval)}  ${kind} of ${run} at ${step}, until ${toMoment(dueAt, now)}${place}${so}`,
    `  ${about}`,
  ].map(toPlainLine);
}

/** All that people are shown, with the commands that answer it. */
export function toPackageLines(approval: ApprovalRecord, shown: ApprovalPackage, ledger: string): readonly string[] {
  const { action } = shown;
  const lines = [
    shown.summary,
    "",
    ...(action === undefined ? [] : toActionLines(action)),
    ...(shown.details === undefined ? [] : [`about      ${shown.details}`]),
    ...(shown.options ?? []).map((option) => `answer     ${option}`),
    ...(shown.why === undefined ? [] : [`why        ${shown.why} (${shown.rules.join(", ")})`]),
    `advice     ${toSaid(shown.recommendation)}`,
    ...shown.reasons.map((reason) => `reason     ${toSaid(reason)}`),
    ...shown.alternatives.map((other) => `or         ${toSaid(other)}`),
    ...(shown.confidence === undefined
      ? []
      : [`sure       ${Math.round(shown.confidence * 100)} % (by the agent's own word)`]),
    ...shown.evidence.map(({ step, what }) => `from       ${step}: ${what}`),
    ...(shown.precedents ?? []).map(
      ({ text, similarity }) => `before     ${text} (${Math.round(similarity * 100)} % alike)`,
    ),
    ...(shown.costUsd === undefined ? [] : [`cost       at most ${toUsd(shown.costUsd)}`]),
    `risk       ${shown.risk.level}: ${shown.risk.why}`,
    ...shown.deciders.map((decider) => `decides    ${decider}`),
    `until      ${new Date(approval.dueAt).toISOString()}. ${shown.otherwise}`,
    `state      ${approval.state}${approval.why === undefined ? "" : `: ${approval.why}`}`,
    ...(approval.state === "open" ? ["", ...toCommands(approval).map((command) => `${command}${ledger}`)] : []),
  ];
  return lines.flatMap((line) => line.split("\n")).map(toPlainLine);
}

function toActionLines(action: NonNullable<ApprovalPackage["action"]>): readonly string[] {
  const { preview, previewProblem } = action;
  const seen =
    preview === undefined
      ? []
      : typeof preview === "string"
        ? [`preview    ${preview}`]
        : [`before     ${preview.before}`, `after      ${preview.after}`];
  return [
    `tool       ${action.tool}: ${action.does}`,
    `input      ${action.input}`,
    ...seen,
    ...(previewProblem === undefined ? [] : [`preview    none: ${previewProblem}`]),
    `changes    ${action.changes} ${action.canBeUndone ? "It can be taken back." : "It can't be taken back."}`,
  ];
}

/** The words of an agent or a flow are nobody's but its own. */
function toSaid({ text, by }: ApprovalPackage["recommendation"]): string {
  return by === "engine" ? text : `the ${by} says: ${text}`;
}

function toCommands(approval: ApprovalRecord): readonly string[] {
  const typed = toTypedId(approval);
  if (approval.kind === "review")
    return [`tutti review ${typed} good`, `tutti review ${typed} defective --defect '<what>'`];
  if (approval.kind === "question") return [`tutti answer ${typed} '<json>'`, `tutti reject ${typed} --reason '<why>'`];
  const edit = approval.kind === "action" ? [`tutti edit ${typed} --input '<json>'`] : [];
  return [
    `tutti approve ${typed}`,
    `tutti reject ${typed} --reason '<why>'`,
    ...edit,
    `tutti delegate ${typed} <person>`,
  ];
}
