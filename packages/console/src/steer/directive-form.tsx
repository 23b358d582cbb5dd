import { useState, type ReactNode } from "react";
import type { DirectiveRequest } from "tutti/client";

import { useCommand } from "../data/command.ts";
import { readWords } from "../parts/form-words.ts";
import { Problem } from "../parts/notices.tsx";

interface DirectiveFormProps {
  readonly run: string;
  readonly agents: readonly string[];
  readonly isAllowed: boolean;
}

type Kind = Exclude<DirectiveRequest["kind"], "stop" | "pause" | "resume" | "plan-edit">;

/** What can be said, what it does, and when it counts. */
const kinds: Readonly<Record<Kind, { readonly name: string; readonly does: string }>> = {
  goal: { name: "New goal", does: "Every agent's next turn is told, in place of the goal before." },
  constraint: { name: "Constraint", does: "Every agent's next turn is told, besides those before." },
  context: { name: "Context", does: "Every agent's next turn is told." },
  budget: { name: "Budget", does: "From now on; below what is spent already it stops the run." },
  autonomy: { name: "Autonomy", does: "The most that agents may do by themselves, from 0, nothing, to 5." },
  "take-over": { name: "Take over", does: "The agent makes no turns until it is handed back." },
  "hand-back": { name: "Hand back", does: "The agent goes on." },
};

const kindNames = Object.keys(kinds).filter((name): name is Kind => Object.hasOwn(kinds, name));

/** A standing instruction to a run and everything that it started. A question that is under way is stopped and asked anew under it. */
export function DirectiveForm({ run, agents, isAllowed }: DirectiveFormProps): ReactNode {
  const [kind, setKind] = useState<Kind>("goal");
  const [count, setCount] = useState(0);
  const command = useCommand();
  const send = async (form: FormData): Promise<void> => {
    const body = toRequest(kind, form);
    const answer = await command.send(
      "giveDirective",
      { params: { run }, body },
      "It stands in the ledger, and counts from the next turn.",
    );
    if (answer !== undefined) setCount((before) => before + 1);
  };
  return (
    <section className="card stack">
      <h2>Say something to the run</h2>
      <div className="chips" role="group" aria-label="What to say">
        {kindNames.map((each) => (
          <button key={each} type="button" className="chip" aria-pressed={each === kind} onClick={() => setKind(each)}>
            {kinds[each].name}
          </button>
        ))}
      </div>
      <p className="muted">{kinds[kind].does}</p>
      <form
        key={`${kind} ${count}`}
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send(new FormData(event.currentTarget));
        }}
      >
        <Fields kind={kind} agents={agents} />
        <label>
          Why
          <input name="reason" />
        </label>
        {command.error === undefined ? null : <Problem error={command.error} />}
        <div>
          <button type="submit" className="main" disabled={!isAllowed || command.isSending}>
            Give directive
          </button>
        </div>
      </form>
    </section>
  );
}

function Fields({ kind, agents }: { readonly kind: Kind; readonly agents: readonly string[] }): ReactNode {
  switch (kind) {
    case "goal":
    case "constraint":
    case "context":
      return (
        <label>
          {kinds[kind].name}
          <textarea name="text" required />
        </label>
      );
    case "budget":
      return (
        <div className="row">
          <label>
            Dollars
            <input name="usd" type="number" min="0" step="any" />
          </label>
          <label>
            Tokens
            <input name="tokens" type="number" min="0" />
          </label>
          <label>
            Calls
            <input name="calls" type="number" min="0" />
          </label>
        </div>
      );
    case "autonomy":
      return (
        <label>
          Level
          <input name="level" type="number" min="0" max="5" defaultValue="2" required />
        </label>
      );
    case "take-over":
    case "hand-back":
      return (
        <label>
          Agent
          <select name="agent">
            <option value="">every agent</option>
            {agents.map((agent) => (
              <option key={agent}>{agent}</option>
            ))}
          </select>
        </label>
      );
  }
}

function toRequest(kind: Kind, form: FormData): DirectiveRequest {
  const words = (name: string): string => readWords(form, name);
  const named = (name: string): Readonly<Record<string, string>> => (words(name) === "" ? {} : { [name]: words(name) });
  const number = (name: string): Readonly<Record<string, number>> =>
    words(name) === "" ? {} : { [name]: Number(words(name)) };
  const said = { kind, ...named("reason") };
  switch (kind) {
    case "goal":
    case "constraint":
    case "context":
      return { ...said, text: words("text") };
    case "budget":
      return { ...said, budget: { ...number("usd"), ...number("tokens"), ...number("calls") } };
    case "autonomy":
      return { ...said, level: Number(words("level")) };
    case "take-over":
    case "hand-back":
      return { ...said, ...named("agent") };
  }
}
