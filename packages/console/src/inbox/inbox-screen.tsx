import { useEffect, type ReactNode } from "react";

import { useKeys } from "../data/keys.ts";
import { useNow } from "../data/now.ts";
import { changeSearch } from "../data/place.ts";
import { Link } from "../parts/link.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toDuration } from "../text/figures.ts";
import { ApprovalView } from "./approval-view.tsx";
import { DoubtView } from "./doubt-view.tsx";
import { toAlike, useInbox, type InboxItem } from "./inbox-items.ts";

/** How much waits, beside the screen's name. */
export function InboxCount(): ReactNode {
  const { value, isCut } = useInbox();
  if (value === undefined || value.length === 0) return null;
  return (
    <span className="badge">
      {value.length}
      {isCut ? "+" : ""}
      <span className="unseen"> waiting</span>
    </span>
  );
}

/** What people are asked: one thing at a time, with what it takes to decide it. */
export function InboxScreen({ search }: { readonly search: Readonly<Record<string, string>> }): ReactNode {
  const inbox = useInbox();
  useEffect(() => {
    document.title = "Inbox · Tutti";
  }, []);
  const items = inbox.value ?? [];
  const wanted = search["item"];
  const index = Math.max(
    0,
    items.findIndex(({ id }) => id === wanted),
  );
  // A link to something that is decided by now still shows it, and says so.
  const present = wanted === undefined || items.some(({ id }) => id === wanted) ? items[index] : undefined;
  const move = (by: number): void => {
    const next = items[Math.min(items.length - 1, Math.max(0, index + by))];
    if (next !== undefined) changeSearch({ item: next.id }, { replace: true });
  };
  useKeys([
    { key: "j", does: "Next", run: () => move(1) },
    { key: "k", does: "Before", run: () => move(-1) },
  ]);
  const next = (): void => {
    const after = items[index + 1] ?? items[index - 1];
    changeSearch({ item: after?.id }, { replace: true });
    inbox.refresh();
  };
  const shown = present?.id ?? wanted;
  return (
    <main id="screen" className="page">
      <h1>Inbox</h1>
      {inbox.error === undefined ? null : <Problem error={inbox.error} retry={inbox.refresh} />}
      {inbox.value === undefined && inbox.error === undefined ? <Loading what="the inbox" /> : null}
      {inbox.value === undefined || (items.length === 0 && shown === undefined) ? null : (
        <div className="inbox">
          <ol className="inbox-list" aria-label="What waits">
            {items.map((item) => (
              <InboxRow key={item.id} item={item} isPresent={item.id === present?.id} />
            ))}
            {inbox.isCut ? <li className="muted">More waits than is listed: what was asked first is shown.</li> : null}
          </ol>
          {present?.kind === "in-doubt" ? (
            <DoubtView key={present.id} effect={present.effect} done={next} />
          ) : shown === undefined ? null : (
            <ApprovalView
              key={shown}
              approval={shown}
              alike={toAlike(items, present)}
              done={next}
              lookAgain={inbox.refresh}
            />
          )}
        </div>
      )}
      {inbox.value !== undefined && items.length === 0 && shown === undefined ? (
        <Empty title="Nothing waits for you">
          Approvals, questions and effects whose outcome nobody knows show here as soon as there are some.
        </Empty>
      ) : null}
    </main>
  );
}

function InboxRow({ item, isPresent }: { readonly item: InboxItem; readonly isPresent: boolean }): ReactNode {
  const now = useNow();
  const [kind, about, run] =
    item.kind === "approval"
      ? [item.line.kind, item.line.about, item.line.run]
      : ["in doubt", `Did ${item.effect.tool} happen?`, item.effect.run];
  return (
    <li>
      <Link to={["inbox"]} search={{ item: item.id }} className="inbox-row" isCurrent={isPresent}>
        <span className="spread">
          <span className={`risk is-${item.kind === "approval" ? "low" : "doubt"}`}>{kind}</span>
          {item.kind === "approval" ? (
            <span className="muted number">
              {item.line.dueAt > now ? `${toDuration(item.line.dueAt - now)} left` : "time is over"}
            </span>
          ) : null}
        </span>
        <strong>
          <Told text={about} />
        </strong>
        <span className="muted mono cut">
          <Told text={run} />
        </span>
      </Link>
    </li>
  );
}
