import type { ReactNode } from "react";
import type { DocumentUses, EntryHead, MessageLine } from "tutti/client";

import { toMoment } from "../data/place.ts";
import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Paged } from "../parts/paged.tsx";
import { Told } from "../parts/told.tsx";
import { toBytes, toTime } from "../text/figures.ts";

const refreshEveryMs = 1_000;
/** Of messages, and of uses of documents. */
const shownMax = 50;

interface ChannelsScreenProps {
  readonly run: string;
  readonly search: Readonly<Record<string, string>>;
}

/** What agents told each other, and which versions of shared documents they saw. */
export function ChannelsScreen({ run, search }: ChannelsScreenProps): ReactNode {
  const query = toMoment(search);
  const live = {
    fits: (entries: readonly EntryHead[]) => entries.some((entry) => entry.run === run),
    everyMs: refreshEveryMs,
  };
  const messages = useRemote("listMessages", { params: { run }, query }, { live });
  const uses = useRemote("listDocumentUses", { params: { run }, query }, { live });
  const error = messages.error ?? uses.error;
  if (error !== undefined)
    return <Problem error={error} retry={error === uses.error ? uses.refresh : messages.refresh} />;
  if (messages.value === undefined || uses.value === undefined) return <Loading what="messages and documents" />;
  return (
    <>
      {query.seq === undefined ? null : (
        <p className="warning">
          <span>
            As it was known after entry {query.seq}. <Link to={["runs", run, "channels"]}>Back to now</Link>
          </span>
        </p>
      )}
      <section className="stack">
        <h2>Messages</h2>
        {messages.value.messages.length === 0 ? (
          <Empty title="No agent told another anything">Messages show here with who read them.</Empty>
        ) : (
          <Paged word="messages" items={messages.value.messages} pageMax={shownMax}>
            {(shown) => (
              <ol className="lines">
                {shown.map((message) => (
                  <Message key={message.seq} run={run} message={message} />
                ))}
              </ol>
            )}
          </Paged>
        )}
      </section>
      <section className="stack">
        <h2>Documents</h2>
        {uses.value.uses.length === 0 ? (
          <Empty title="This run read and wrote no document" />
        ) : (
          <Paged word="uses" items={uses.value.uses} pageMax={shownMax}>
            {(shown) => <Uses run={run} uses={shown} />}
          </Paged>
        )}
      </section>
    </>
  );
}

function Message({ run, message }: { readonly run: string; readonly message: MessageLine }): ReactNode {
  const { seq, at, step, from, to, intent, bytes, readBy, inReplyTo, withheld = 0, note } = message;
  return (
    <li>
      <p className="row">
        <span className="muted number">{toTime(at)}</span>
        <strong>
          <Told text={from} /> <span aria-label="to">→</span> <Told text={to} />
        </strong>
        <span className="muted">{toBytes(bytes)}</span>
        <Link to={["runs", run]} search={{ step }}>
          entry {seq}
        </Link>
      </p>
      <p>
        <Told text={intent} />
      </p>
      <p className="muted">
        {readBy === undefined ? (
          "not read yet"
        ) : (
          <>
            read by{" "}
            <Link to={["runs", run]} search={{ step: readBy }}>
              <Told text={readBy} />
            </Link>
          </>
        )}
        {inReplyTo === undefined ? null : (
          <>
            , in reply to{" "}
            <Link to={["runs", run]} search={{ step: inReplyTo }}>
              <Told text={inReplyTo} />
            </Link>
          </>
        )}
        {withheld > 0 ? `, ${withheld} parts were withheld` : ""}
        {note === undefined ? null : (
          <>
            , <Told text={note} />
          </>
        )}
      </p>
    </li>
  );
}

function Uses({ run, uses }: { readonly run: string; readonly uses: DocumentUses["uses"] }): ReactNode {
  return (
    <div className="wide">
      <table>
        <thead>
          <tr>
            <th>Document</th>
            <th>Use</th>
            <th className="number">Version</th>
            <th className="number">Newest</th>
            <th>Step</th>
          </tr>
        </thead>
        <tbody>
          {uses.map(({ document, use, version, newest, step, seq }) => (
            <tr key={`${seq} ${document} ${use}`}>
              <td>
                <Link to={["documents"]} search={{ document }}>
                  <Told text={document} />
                </Link>
              </td>
              <td>{use}</td>
              <td className="number">{version}</td>
              <td className={`number${use !== "written" && newest > version ? " is-stale" : ""}`}>{newest}</td>
              <td>
                <Link to={["runs", run]} search={{ step }} className="mono">
                  <Told text={step} />
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
