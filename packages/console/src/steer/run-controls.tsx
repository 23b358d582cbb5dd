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
  const rests = status === "paused" || status === "parked";
  const isBlocked = !isAllowed || command.isSending;
  return (
    <section className="card stack">
      <h2>The run</h2>
      <label>
        Why, for whoever reads this later
        <input value={reason} onChange={({ target }) => setReason(target.value)} />
      </label>
      <ul className="acts">
        {rests ? (
          <Act name="Go on" when="At once, from where it stopped." isBlocked={isBlocked}>
            {() => command.send("resumeRun", { params, body: {} }, "It goes on.")}
          </Act>
        ) : (
          <Act name="Pause" when="At the next safe point: what is under way comes to its end." isBlocked={isBlocked}>
            {() => command.send("pauseRun", { params, body: {} }, "It stops at the next safe point.")}
          </Act>
        )}
        <Act
          name="Freeze"
          when="Now: it and what it started begin nothing any more, no effect, no question."
          isBlocked={isBlocked}
        >
          {() => command.send("freeze", { body: { reach: "run", name: run, ...told } }, "The run is frozen.")}
        </Act>
        <Act
          name="Stop"
          when="Now, with all below it. Calls that were sent come to their outcome; nothing is undone."
          isBlocked={isBlocked}
          isFinal
        >
          {() => command.send("giveDirective", { params, body: { kind: "stop", ...told } }, "It is stopped.")}
        </Act>
        <Act
          name="Cancel"
          when="At the next safe point; the flow may take back what it did."
          isBlocked={isBlocked}
          isFinal
        >
          {() => command.send("cancelRun", { params, body: told }, "It is being cancelled.")}
        </Act>
      </ul>
      {command.error === undefined ? null : <Problem error={command.error} />}
    </section>
  );
}

interface ActProps {
  readonly name: string;
  /** When it takes effect. */
  readonly when: string;
  readonly isBlocked: boolean;
  /** The run does not go on after it, so it is asked twice. */
  readonly isFinal?: boolean;
  readonly children: () => Promise<unknown>;
}

export function Act({ name, when, isBlocked, isFinal = false, children }: ActProps): ReactNode {
  const [isAsked, setAsked] = useState(false);
  return (
    <li>
      <button
        type="button"
        className={isFinal ? "danger" : ""}
        disabled={isBlocked}
        onBlur={() => setAsked(false)}
        onClick={() => {
          setAsked(isFinal && !isAsked);
          if (!isFinal || isAsked) void children();
        }}
      >
        {isAsked ? "Sure?" : name}
      </button>
      <span className="muted">{when}</span>
    </li>
  );
}
