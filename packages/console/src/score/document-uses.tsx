import type { ReactNode } from "react";

import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";

interface DocumentUsesProps {
  readonly run: string;
  readonly step: string;
  /** The moment that is shown, if it is not now. */
  readonly past: number | undefined;
}

/** Which versions of documents a step read and wrote; a read of a version that is not the newest is marked. */
export function DocumentUses({ run, step, past }: DocumentUsesProps): ReactNode {
  const uses = useRemote("listDocumentUses", { params: { run }, query: { seq: past } });
  if (uses.error !== undefined) return <Problem error={uses.error} retry={uses.refresh} />;
  const own = uses.value?.uses.filter((use) => use.step === step || use.step.startsWith(`${step}/`)) ?? [];
  if (own.length === 0) return null;
  return (
    <section className="stack">
      <h3>Documents</h3>
      <ul className="votes">
        {own.map(({ document, version, seq, use, newest }) => (
          <li key={`${seq} ${document} ${use}`}>
            {use}{" "}
            <Link to={["documents"]} search={{ document }} className="mono">
              <Told text={document} />
            </Link>{" "}
            version {version}
            {use !== "written" && newest > version ? <span className="is-stale"> · now {newest}</span> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
