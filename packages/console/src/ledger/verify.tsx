import { useState, type ReactNode } from "react";
import type { VerificationReport } from "tutti/client";

import { useRemote } from "../data/remote.ts";
import { Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toNumberOf } from "../text/figures.ts";

/** Checks the chain of a run, or of all; the server reads every entry for it, so it is done when somebody asks. */
export function Verify({ run }: { readonly run: string | undefined }): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const one = useRemote("verifyRun", isAsked && run !== undefined ? { params: { run } } : undefined);
  const all = useRemote("verifyLedger", isAsked && run === undefined ? {} : undefined);
  const { value, error, isLoading, refresh } = run === undefined ? all : one;
  return (
    <div className="row">
      <button
        type="button"
        disabled={isAsked && isLoading}
        onClick={() => {
          if (isAsked) refresh();
          setAsked(true);
        }}
      >
        {isAsked && isLoading ? "Checking…" : "Check every entry"}
      </button>
      {error === undefined ? null : <Problem error={error} />}
      {value === undefined || isLoading ? null : <Verdict report={value} />}
    </div>
  );
}

function Verdict({ report }: { readonly report: VerificationReport }): ReactNode {
  const { isIntact, entries, runs, seq, run, why } = report;
  if (isIntact)
    return (
      <p role="status">
        <span className="state is-done">
          <i aria-hidden="true" />
          Intact
        </span>{" "}
        {entries.toLocaleString("en")} entries of {toNumberOf(runs, "run")} are what was written.
      </p>
    );
  return (
    <p className="problem" role="alert">
      <strong>Not what was written:</strong>
      <Told text={`entry ${seq ?? 0} of ${run ?? ""}: ${why ?? ""}`} />
    </p>
  );
}
