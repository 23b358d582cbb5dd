import { useEffect, useState, type ReactNode } from "react";
import type { ApprovalDetail, ApprovalLine } from "tutti/client";

import { useCommand } from "../data/command.ts";
import { useRemote } from "../data/remote.ts";
import { FormEnd } from "../parts/form-end.tsx";
import { Modal } from "../parts/modal.tsx";
import { Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toNumberOf } from "../text/figures.ts";
import { Action } from "./approval-action.tsx";

interface BatchFormProps {
  /** Calls of one tool that wait, as they wait now. */
  readonly alike: readonly ApprovalLine[];
  readonly close: () => void;
  readonly done: () => void;
  /** Nothing was approved, because something is not as it was. */
  readonly refused: () => void;
}

/** No more than a person looks at with care. */
const decidedMax = 20;

/** Approves several calls of one tool at once, each on what was seen of it. One that has changed meanwhile refuses them all. */
export function BatchForm({ alike, close, done, refused }: BatchFormProps): ReactNode {
  // What is asked is taken once: whatever comes later was not looked at.
  const [asked] = useState(() => alike.slice(0, decidedMax));
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [seen, setSeen] = useState<ReadonlyMap<string, ApprovalDetail>>(new Map());
  const command = useCommand();
  const problemOf = (line: ApprovalLine): string | undefined => toProblem(line, seen.get(line.id), alike);
  const chosen = asked.filter((line) => !left.has(line.id) && problemOf(line) === undefined);
  const isLooking = chosen.some(({ id }) => !seen.has(id));
  const send = async (): Promise<void> => {
    const decisions = chosen.map(({ id, package: saw }) => ({ id, saw, verdict: "approve" as const }));
    const answer = await command.send("decideAll", { body: { decisions } }, `${decisions.length} approved.`);
    if (answer === undefined) refused();
    else done();
  };
  return (
    <Modal title="Approve calls that are alike" close={close}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p className="muted">
          All that are chosen are approved, or none. Look at each; take out what you would not approve.
          {alike.length > asked.length ? ` The first ${asked.length} of ${alike.length}.` : ""}
        </p>
        <ol className="batch">
          {asked.map((line) => (
            <Item
              key={line.id}
              line={line}
              seen={seen.get(line.id)}
              isChosen={!left.has(line.id)}
              problem={problemOf(line)}
              choose={(isChosen) =>
                setLeft(
                  (before) => new Set(isChosen ? [...before].filter((id) => id !== line.id) : [...before, line.id]),
                )
              }
              looked={(detail) => setSeen((before) => new Map(before).set(line.id, detail))}
            />
          ))}
        </ol>
        <FormEnd
          error={command.error}
          label={<>Approve {toNumberOf(chosen.length, "call")}</>}
          disabled={command.isSending || isLooking || chosen.length === 0}
          close={close}
        />
      </form>
    </Modal>
  );
}

/** Why one can't be approved with the others. */
function toProblem(
  line: ApprovalLine,
  seen: ApprovalDetail | undefined,
  waiting: readonly ApprovalLine[],
): string | undefined {
  const now = waiting.find(({ id }) => id === line.id);
  if (now === undefined) return "It is decided already.";
  if (now.package !== line.package) return "What is asked has changed. Close this, and look again.";
  return seen?.package.risk.level === "high" ? "Its risk is high: it is decided by itself." : undefined;
}

interface ItemProps {
  readonly line: ApprovalLine;
  /** What is shown of it, and stays as it was when it was shown. */
  readonly seen: ApprovalDetail | undefined;
  readonly isChosen: boolean;
  readonly problem: string | undefined;
  readonly choose: (isChosen: boolean) => void;
  readonly looked: (detail: ApprovalDetail) => void;
}

function Item({ line, seen, isChosen, problem, choose, looked }: ItemProps): ReactNode {
  const detail = useRemote("showApproval", { params: { approval: line.id } });
  const { value } = detail;
  useEffect(() => {
    if (seen === undefined && value?.approval.package === line.package) looked(value);
  }, [value]);
  return (
    <li>
      <label className="choice">
        <input
          type="checkbox"
          checked={isChosen && problem === undefined}
          disabled={problem !== undefined}
          onChange={({ target }) => choose(target.checked)}
        />
        <Told text={line.about} />
      </label>
      {problem === undefined ? null : <p className="is-stale">{problem}</p>}
      {detail.error === undefined ? null : <Problem error={detail.error} retry={detail.refresh} />}
      {seen === undefined ? (
        detail.error === undefined && problem === undefined ? (
          <Loading what="what is asked" />
        ) : null
      ) : (
        <details>
          <summary className="muted">What would be done</summary>
          {seen.package.action === undefined ? null : <Action action={seen.package.action} />}
        </details>
      )}
    </li>
  );
}
