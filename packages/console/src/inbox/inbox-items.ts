import type { AnswerOf, ApprovalLine, EntryHead } from "tutti/client";

import { useRemote, type Remote } from "../data/remote.ts";

export type DoubtfulEffect = AnswerOf<"listInbox">["inDoubt"][number];

/** One thing that waits for a person. */
export type InboxItem =
  | { readonly kind: "approval"; readonly id: string; readonly line: ApprovalLine }
  | { readonly kind: "in-doubt"; readonly id: string; readonly effect: DoubtfulEffect };

const refreshEveryMs = 300;
const shownMax = 100;
const fits = (entries: readonly EntryHead[]): boolean =>
  entries.some(({ kind }) => kind.startsWith("approval-") || kind.startsWith("effect-") || kind.startsWith("run-"));
const live = { fits, everyMs: refreshEveryMs };

/** What waits for people: first effects whose outcome nobody knows, then approvals, the soonest due first. */
export function useInbox(): Remote<readonly InboxItem[]> & { readonly isCut: boolean } {
  const inbox = useRemote("listInbox", { query: { limit: shownMax } }, { live });
  const { value } = inbox;
  const items = value && [
    ...value.inDoubt.map((effect): InboxItem => ({ kind: "in-doubt", id: `effect:${effect.effect}`, effect })),
    ...value.approvals
      .toSorted((left, right) => left.dueAt - right.dueAt)
      .map((line): InboxItem => ({ kind: "approval", id: line.id, line })),
  ];
  return { ...inbox, value: items, isCut: value?.cursor !== undefined };
}

/** Approvals of calls of the same tool: they are decided alike. */
export function toAlike(items: readonly InboxItem[], present: InboxItem | undefined): readonly ApprovalLine[] {
  if (present?.kind !== "approval" || present.line.kind !== "action") return [];
  const name = toCallName(present.line);
  return items.flatMap((item) =>
    item.kind === "approval" && item.line.kind === "action" && toCallName(item.line) === name ? [item.line] : [],
  );
}

/** What is called stands at the end of its step's path. */
function toCallName({ step }: ApprovalLine): string {
  return step.slice(step.lastIndexOf("/") + 1).replace(/#\d+$/u, "");
}
