import { useState, type ReactNode } from "react";

import { useCommand } from "../data/command.ts";
import { JsonField, readJson } from "../parts/json-field.tsx";
import { Problem } from "../parts/notices.tsx";

/** Sends what the run may be waiting for. */
export function SignalForm({ run, isAllowed }: { readonly run: string; readonly isAllowed: boolean }): ReactNode {
  const command = useCommand();
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const send = (): void => {
    const read = text.trim() === "" ? { value: null } : readJson(text);
    setProblem("problem" in read ? read.problem : undefined);
    if ("problem" in read) return;
    void command.send(
      "signalRun",
      { params: { run }, body: { name: name.trim(), payload: read.value } },
      "The signal is sent.",
    );
  };
  return (
    <section className="card stack">
      <h2>Send a signal</h2>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <label>
          Name
          <input value={name} required onChange={({ target }) => setName(target.value)} />
        </label>
        <JsonField label="What it brings, as JSON" {...{ text, setText, problem }} />
        {command.error === undefined ? null : <Problem error={command.error} />}
        <div>
          <button type="submit" disabled={!isAllowed || command.isSending}>
            Send
          </button>
        </div>
      </form>
    </section>
  );
}
