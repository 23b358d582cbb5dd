import { useState, type ReactNode } from "react";
import type { ApprovalLine, VoteRequest } from "tutti/client";

import { announce } from "../data/announce.ts";
import { useCommand } from "../data/command.ts";
import { useKeys } from "../data/keys.ts";
import { useRemote } from "../data/remote.ts";
import { useRights } from "../data/session.ts";
import { Loading, Problem } from "../parts/notices.tsx";
import { toNumberOf } from "../text/figures.ts";
import { ApprovalPackage } from "./approval-package.tsx";
import { VoteForm, type Asked } from "./vote-form.tsx";

interface ApprovalViewProps {
  readonly approval: string;
  /** Those that may be decided with it, itself among them. */
  readonly alike: readonly ApprovalLine[];
  readonly done: () => void;
}

const refreshEveryMs = 300;

/** One approval or question, and how to answer it. A vote counts for exactly what is shown here. */
export function ApprovalView({ approval, alike, done }: ApprovalViewProps): ReactNode {
  const detail = useRemote(
    "showApproval",
    { params: { approval } },
    { live: { fits: (entries) => entries.some(({ kind }) => kind.startsWith("approval-")), everyMs: refreshEveryMs } },
  );
  const { mayDecide } = useRights();
  const command = useCommand();
  const [asked, setAsked] = useState<Asked>();
  const { value } = detail;
  const vote = async (said: Omit<VoteRequest, "saw">, word: string): Promise<void> => {
    if (value === undefined) return;
    const body = { ...said, saw: value.line.saw };
    const line = await command.send("decideApproval", { params: { approval }, body }, `${word}. It stands in the ledger.`);
    if (line === undefined) {
      detail.refresh();
      return;
    }
    setAsked(undefined);
    if (line.state === "open") detail.refresh();
    else done();
  };
  /** One after the other, each on what was shown of it: one that has changed meanwhile is refused and stays. */
  const approveAlike = async (): Promise<void> => {
    let count = 0;
    for (const { approval: id, saw } of alike) {
      const body = { verdict: "approve", saw } as const;
      const line = await command.send("decideApproval", { params: { approval: id }, body }, "");
      if (line === undefined) break;
      count += 1;
    }
    announce(`${count} of ${alike.length} approved.`);
    setAsked(undefined);
    done();
  };
  const isOpen = value?.line.state === "open" && mayDecide;
  const kind = value?.line.kind;
  const approve = (): void => {
    if (value?.line.risk === "high") setAsked("approve");
    else void vote({ verdict: "approve" }, "Approved");
  };
  useKeys(
    isOpen
      ? [
          ...(kind === "question"
            ? [{ key: "a", does: "Answer", run: () => setAsked("answer") }]
            : [{ key: "a", does: "Approve", run: approve }]),
          ...(kind === "action" ? [{ key: "e", does: "Approve with another input", run: () => setAsked("edit") }] : []),
          { key: "r", does: "Reject, with a reason", run: () => setAsked("reject") },
          { key: "d", does: "Hand it to somebody else", run: () => setAsked("delegate") },
        ]
      : [],
  );
  if (value === undefined)
    return detail.error === undefined ? <Loading what="the approval" /> : <Problem error={detail.error} />;
  return (
    <article className="card stack approval" aria-label={value.line.about}>
      <ApprovalPackage detail={value} />
      {command.error === undefined || asked !== undefined ? null : <Problem error={command.error} />}
      <footer className="decide">
        {value.line.state !== "open" ? (
          <p className="warning">
            This is {value.line.state}
            {value.line.decidedBy === undefined ? "" : ` by ${value.line.decidedBy}`}. Nothing is left to decide.
          </p>
        ) : !mayDecide ? (
          <p className="muted">Deciding takes a token of the role approver.</p>
        ) : (
          <>
            {kind === "question" ? (
              <button type="button" className="main" onClick={() => setAsked("answer")}>
                Answer <kbd>a</kbd>
              </button>
            ) : (
              <button type="button" className="main" disabled={command.isSending} onClick={approve}>
                Approve <kbd>a</kbd>
              </button>
            )}
            {kind === "action" ? (
              <button type="button" onClick={() => setAsked("edit")}>
                Edit <kbd>e</kbd>
              </button>
            ) : null}
            <button type="button" className="danger" onClick={() => setAsked("reject")}>
              Reject <kbd>r</kbd>
            </button>
            <button type="button" className="quiet" onClick={() => setAsked("delegate")}>
              Delegate <kbd>d</kbd>
            </button>
            {alike.length > 1 && value.line.risk !== "high" ? (
              <button type="button" disabled={command.isSending} onClick={() => setAsked("alike")}>
                Approve {alike.length} alike
              </button>
            ) : null}
          </>
        )}
      </footer>
      {asked === undefined ? null : (
        <VoteForm
          {...{ asked, command, vote, alike, approveAlike }}
          detail={value}
          title={asked === "alike" ? `Approve ${toNumberOf(alike.length, "call")} of ${value.line.tool ?? ""}` : value.line.about}
          close={() => {
            command.clear();
            setAsked(undefined);
          }}
        />
      )}
    </article>
  );
}
