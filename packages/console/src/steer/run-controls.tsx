import { useState, type ReactNode } from "react";
import type { RunDetail } from "tutti/client";

import { useCommand } from "../data/command.ts";
import { Problem } from "../parts/notices.tsx";

interface RunControlsProps {
  readonly run: string;
  readonly detail: RunDetail;
  readonly isAllowed: boolean;
}

/** Pause, go on, freeze, cancel: each says when it takes effect. */
export function RunControls({ run, detail, isAllowed }: RunControlsProps): ReactNode {
  const command = useCommand();
  const [reason, setReason] = useState("");
  const { status } = detail.line;
  const params = { run };
  const told = reason.trim() === "" ? {} : { reason };
  const isBlocked = !isAllowed || command.isSending;
  const rests = status === "paused" || status === "parked";
  return (
    <section className="card stack">
      <h2>The run</h2>
      <label>
        Why, for whoever reads this later
        <input value={reason} onChange={({ target }) => setReason(target.value)} />
      </label>
      <ul className="acts">
        {rests ? (
          <li>
            <button
              type="button"
              className="main"
              disabled={isBlocked}
              onClick={() => void command.send("resumeRun", { params, body: {} }, "It goes on.")}
            >
              Go on
            </button>
            <span className="muted">At once, from where it stopped.</span>
          </li>
        ) : (
          <li>
            <button
              type="button"
              disabled={isBlocked}
              onClick={() => void command.send("pauseRun", { params, body: {} }, "It stops at the next safe point.")}
            >
              Pause
            </button>
            <span className="muted">At the next safe point: what is under way comes to its end.</span>
          </li>
        )}
        <li>
          <button
            type="button"
            disabled={isBlocked}
            onClick={() =>
              void command.send("setFreeze", { body: { reach: "run", name: run, ...told } }, "The run is frozen.")
            }
          >
            Freeze
          </button>
          <span className="muted">Now: it and what it started begin nothing any more, no effect, no question.</span>
        </li>
        <li>
          <button
            type="button"
            className="danger"
            disabled={isBlocked}
            onClick={() => void command.send("steerRun", { params, body: { kind: "stop", ...told } }, "It is stopped.")}
          >
            Stop
          </button>
          <span className="muted">Now, with all below it. Calls that were sent come to their outcome; nothing is undone.</span>
        </li>
        <li>
          <button
            type="button"
            className="danger"
            disabled={isBlocked}
            onClick={() => void command.send("cancelRun", { params, body: told }, "It is being cancelled.")}
          >
            Cancel
          </button>
          <span className="muted">At the next safe point; the flow may take back what it did.</span>
        </li>
      </ul>
      {command.error === undefined ? null : <Problem error={command.error} />}
    </section>
  );
}
