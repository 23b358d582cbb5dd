import type { AnswerOf, ApprovalLine, EntryHead } from "tutti/client";

import { useRemote, type Remote } from "../data/remote.ts";

export type DoubtfulEffect = AnswerOf<"listDoubtful">["effects"][number];

/** One thing that waits for a person. */
export type InboxItem =
  | { readonly kind: "approval"; readonly id: string; readonly line: ApprovalLine }
  | { readonly kind: "in-doubt"; readonly id: string; readonly effect: DoubtfulEffect };

const refreshEveryMs = 300;
const fits = (entries: readonly EntryHead[]): boolean =>
  entries.some(({ kind }) => kind.startsWith("approval-") || kind.startsWith("effect-") || kind.startsWith("run-"));
const live = { fits, everyMs: refreshEveryMs };

/** What waits for people: first effects whose outcome nobody knows, then approvals, the soonest due first. */
export function useInbox(): Remote<readonly InboxItem[]> & { readonly isCut: boolean } {
  const inbox = useRemote("listInbox", {}, { live });
  const doubtful = useRemote("listDoubtful", {}, { live });
  const refresh = (): void => {
    inbox.refresh();
    doubtful.refresh();
  };
  const value =
    inbox.value === undefined || doubtful.value === undefined
      ? undefined
      : [
          ...doubtful.value.effects.map((effect): InboxItem => ({
            kind: "in-doubt",
            id: `effect:${effect.effect}`,
            effect,
          })),
          ...inbox.value.approvals.map((line): InboxItem => ({ kind: "approval", id: line.approval, line })),
        ];
  return {
    value,
    error: inbox.error ?? doubtful.error,
    isLoading: inbox.isLoading || doubtful.isLoading,
    isCut: inbox.value?.isCut === true,
    refresh,
  };
}

/** Approvals of the same tool, the same kind and the same risk, asked by the same step of different runs: they are decided alike. */
export function toAlike(items: readonly InboxItem[], present: InboxItem | undefined): readonly ApprovalLine[] {
  if (present?.kind !== "approval" || present.line.kind !== "action") return [];
  const { tool, risk } = present.line;
  return items.flatMap((item) =>
    item.kind === "approval" && item.line.kind === "action" && item.line.tool === tool && item.line.risk === risk
      ? [item.line]
      : [],
  );
}
