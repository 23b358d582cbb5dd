import { useState, type ReactNode } from "react";

import { useCommand } from "../data/command.ts";
import { useRights } from "../data/session.ts";
import { JsonField, readJson } from "../parts/json-field.tsx";
import { Link } from "../parts/link.tsx";
import { Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import type { DoubtfulEffect } from "./inbox-items.ts";

interface DoubtViewProps {
  readonly effect: DoubtfulEffect;
  readonly done: () => void;
}

/** An effect that may or may not have happened. Only somebody who looks can say; it is not done again before. */
export function DoubtView({ effect: { effect, run, step, tool }, done }: DoubtViewProps): ReactNode {
  const { mayDecide } = useRights();
  const command = useCommand();
  const [text, setText] = useState("");
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState<string>();
  const settle = async (verdict: "done" | "not-done"): Promise<void> => {
    const read = verdict === "done" && text.trim() !== "" ? readJson(text) : undefined;
    setProblem(read !== undefined && "problem" in read ? read.problem : undefined);
    if (read !== undefined && "problem" in read) return;
    const body = {
      effect,
      verdict,
      ...(note.trim() === "" ? {} : { note }),
      ...(read === undefined ? {} : { output: read.value }),
    };
    if ((await command.send("settleEffect", { body }, "Recorded. The run goes on.")) !== undefined) done();
  };
  return (
    <article className="card stack approval" aria-label={`Did ${tool} happen?`}>
      <p>
        <span className="risk is-doubt">in doubt</span>
      </p>
      <h2>
        Did <Told text={tool} /> happen?
      </h2>
      <p>
        The process died, or the answer was lost, between doing it and writing down that it was done. Look at the place
        that it changes, then say what you found. It is not done again before that. If it did not happen, it is done
        now, unless the tool itself had failed: then the flow is given that error.
      </p>
      <p className="muted">
        Effect <Told text={effect} className="mono" /> of{" "}
        <Link to={["runs", run]} search={{ step }}>
          <Told text={run} />
        </Link>
      </p>
      {mayDecide ? (
        <>
          <JsonField label="What it returned, as JSON, if it happened" {...{ text, setText, problem }} />
          <label>
            A note, for whoever reads this later
            <input value={note} onChange={({ target }) => setNote(target.value)} />
          </label>
          {command.error === undefined ? null : <Problem error={command.error} />}
          <footer className="decide">
            <button type="button" className="main" disabled={command.isSending} onClick={() => void settle("done")}>
              It happened
            </button>
            <button type="button" disabled={command.isSending} onClick={() => void settle("not-done")}>
              It did not
            </button>
          </footer>
        </>
      ) : (
        <p className="muted">Deciding takes a token of the role approver.</p>
      )}
    </article>
  );
}
