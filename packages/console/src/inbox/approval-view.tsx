import { useState, type ReactNode } from "react";
import type { ApprovalDetail, ApprovalLine, DecideRequest } from "tutti/client";

import { useCommand } from "../data/command.ts";
import { useKeys, type Key } from "../data/keys.ts";
import { useRemote } from "../data/remote.ts";
import { useRights } from "../data/session.ts";
import { Loading, Problem } from "../parts/notices.tsx";
import { ApprovalPackage } from "./approval-package.tsx";
import { BatchForm } from "./batch-form.tsx";
import { VoteForm, type Asked } from "./vote-form.tsx";

interface ApprovalViewProps {
  readonly approval: string;
  /** Those that may be decided with it, itself among them. */
  readonly alike: readonly ApprovalLine[];
  readonly done: () => void;
  /** What waits may not be what is listed. */
  readonly lookAgain: () => void;
}

const refreshEveryMs = 300;

/** One approval or question, and how to answer it. */
export function ApprovalView(props: ApprovalViewProps): ReactNode {
  const detail = useRemote(
    "showApproval",
    { params: { approval: props.approval } },
    { live: { fits: (entries) => entries.some(({ kind }) => kind.startsWith("approval-")), everyMs: refreshEveryMs } },
  );
  if (detail.value !== undefined) return <Open {...props} detail={detail.value} refresh={detail.refresh} />;
  return detail.error === undefined ? <Loading what="the approval" /> : <Problem error={detail.error} />;
}

interface OpenProps extends ApprovalViewProps {
  readonly detail: ApprovalDetail;
  readonly refresh: () => void;
}

/** A vote counts for exactly what is shown here; when that has changed it is refused, and what is asked now is shown. */
function Open({ approval, alike, done, lookAgain, detail, refresh }: OpenProps): ReactNode {
  const { mayDecide } = useRights();
  const command = useCommand();
  const [asked, setAsked] = useState<Asked | "alike">();
  const line = detail.approval;
  const risk = detail.package.risk.level;
  const vote = async (said: Omit<DecideRequest, "saw">, word: string): Promise<void> => {
    const body = { ...said, saw: line.package };
    const after = await command.send("decide", { params: { approval }, body }, `${word}. It is in the ledger.`);
    if (after === undefined || after.state === "open") refresh();
    if (after === undefined) return;
    setAsked(undefined);
    if (after.state !== "open") done();
  };
  const isOpen = line.state === "open" && mayDecide;
  const close = (): void => {
    command.clear();
    setAsked(undefined);
  };
  const begin = (what: Asked | "alike"): void => {
    const isAtOnce = what === "approve" && risk !== "high";
    if (isAtOnce) void vote({ verdict: "approve" }, "Approved");
    else setAsked(what);
  };
  const isBatch = isOpen && alike.length > 1 && risk !== "high";
  useKeys(isOpen ? toKeys(line, begin, isBatch) : []);
  return (
    <article className="card stack approval" aria-label={line.about}>
      <ApprovalPackage detail={detail} />
      {command.error === undefined || asked !== undefined ? null : <Problem error={command.error} />}
      <Decide {...{ line, mayDecide, begin }} isSending={command.isSending} alike={isBatch ? alike.length : 0} />
      {asked === undefined ? null : asked === "alike" ? (
        <BatchForm
          alike={alike}
          close={close}
          refused={lookAgain}
          done={() => {
            close();
            done();
          }}
        />
      ) : (
        <VoteForm {...{ asked, command, vote, detail, close }} title={line.about} />
      )}
    </article>
  );
}

type Begin = (what: Asked | "alike") => void;

function toKeys({ kind }: ApprovalLine, begin: Begin, isBatch: boolean): readonly Key[] {
  const isQuestion = kind === "question";
  return [
    { key: "a", does: isQuestion ? "Answer" : "Approve", run: () => begin(isQuestion ? "answer" : "approve") },
    ...(kind === "action" ? [{ key: "e", does: "Approve with another input", run: () => begin("edit") }] : []),
    { key: "r", does: "Reject, with a reason", run: () => begin("reject") },
    ...(isBatch ? [{ key: "b", does: "Approve those that are alike", run: () => begin("alike") }] : []),
    { key: "d", does: "Hand it to somebody else", run: () => begin("delegate") },
  ];
}

interface DecideProps {
  readonly line: ApprovalLine;
  readonly mayDecide: boolean;
  readonly isSending: boolean;
  /** How many may be approved with it, itself among them; 0 if none may. */
  readonly alike: number;
  readonly begin: Begin;
}

function Decide({ line, mayDecide, isSending, alike, begin }: DecideProps): ReactNode {
  const { kind, state, decidedBy } = line;
  if (state !== "open")
    return (
      <p className="warning">
        {`This is ${state}${decidedBy === undefined ? "" : ` by ${decidedBy}`}. Nothing is left to decide.`}
      </p>
    );
  if (!mayDecide) return <p className="muted">Deciding takes a token of the role approver.</p>;
  const first = kind === "question" ? "answer" : "approve";
  return (
    <footer className="decide">
      <button type="button" className="main" disabled={isSending} onClick={() => begin(first)}>
        {kind === "question" ? "Answer" : "Approve"} <kbd>a</kbd>
      </button>
      {kind === "action" ? (
        <button type="button" onClick={() => begin("edit")}>
          Edit <kbd>e</kbd>
        </button>
      ) : null}
      <button type="button" className="danger" onClick={() => begin("reject")}>
        Reject <kbd>r</kbd>
      </button>
      <button type="button" className="quiet" onClick={() => begin("delegate")}>
        Delegate <kbd>d</kbd>
      </button>
      {alike > 0 ? (
        <button type="button" disabled={isSending} onClick={() => begin("alike")}>
          Approve {alike} alike… <kbd>b</kbd>
        </button>
      ) : null}
    </footer>
  );
}
