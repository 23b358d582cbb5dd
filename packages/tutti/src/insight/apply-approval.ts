import type { BodyOf } from "../contracts/entry.ts";
import { describeDecided } from "./describe-record.ts";
import { isOpen } from "./run-tree.ts";
import type { OpenNode } from "./tree-edit.ts";

export function applyVerdict({ verdict }: BodyOf<"policy-decided">, node: () => OpenNode): void {
  if (verdict.kind === "deny") node().remark = `not allowed: ${verdict.why}`;
}

export function applyRequest({ kind, dueAt, about }: BodyOf<"approval-requested">, step: OpenNode, at: number): void {
  if (step.kind === "scope") step.kind = kind === "action" ? "tool" : "step";
  step.startedAt ??= at;
  step.state = { kind: "waiting", for: "person", untilMs: dueAt };
  step.remark = about;
}

export function applyOverdue({ next }: BodyOf<"approval-overdue">, step: OpenNode): void {
  if (next === "escalate") step.remark = "nobody decided in time; the next are asked";
}

export function applyDecided(body: BodyOf<"approval-decided">, step: OpenNode): void {
  if (!isOpen(step.state)) return;
  if (body.state === "granted") step.state = { kind: "running" };
  step.remark = describeDecided(body);
}
