import { useState, type ReactNode } from "react";
import type { ApprovalDetail, DecideRequest } from "tutti/client";

import type { Command } from "../data/command.ts";
import { FormEnd } from "../parts/form-end.tsx";
import { JsonField, readJson } from "../parts/json-field.tsx";
import { Modal } from "../parts/modal.tsx";
import { Told } from "../parts/told.tsx";

/** What a person is about to say. */
export type Asked = "approve" | "reject" | "edit" | "answer" | "delegate";

interface VoteFormProps {
  readonly asked: Asked;
  readonly title: string;
  readonly detail: ApprovalDetail;
  readonly command: Command;
  readonly vote: (said: Omit<DecideRequest, "saw">, word: string) => Promise<void>;
  readonly close: () => void;
}

/** What a vote needs besides yes or no. */
export function VoteForm(props: VoteFormProps): ReactNode {
  const { asked, title, detail, command, close } = props;
  const [text, setText] = useState(asked === "edit" ? (detail.package.action?.input ?? "") : "");
  const [problem, setProblem] = useState<string>();
  const send = (): void => {
    const said = toSaid(asked, text, detail.package.options ?? []);
    setProblem("problem" in said ? said.problem : undefined);
    if (!("problem" in said)) void props.vote(said, words[asked]);
  };
  return (
    <Modal title={title} close={close}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <Field {...props} text={text} setText={setText} problem={problem} />
        <FormEnd
          error={command.error}
          label={labels[asked]}
          kind={asked === "reject" ? "danger" : "main"}
          disabled={command.isSending}
          close={close}
        />
      </form>
    </Modal>
  );
}

const labels: Readonly<Record<Asked, string>> = {
  approve: "Approve",
  reject: "Reject",
  edit: "Approve with this input",
  answer: "Answer",
  delegate: "Hand over",
};

const words: Readonly<Record<Asked, string>> = {
  approve: "Approved",
  reject: "Rejected",
  edit: "Approved with another input",
  answer: "Answered",
  delegate: "Handed over",
};

interface FieldProps extends VoteFormProps {
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly problem: string | undefined;
}

function Field({ asked, detail, text, setText, problem }: FieldProps): ReactNode {
  const { risk, options = [] } = detail.package;
  switch (asked) {
    case "approve":
      return (
        <p className="warning">
          <span>
            The risk is {risk.level}: <Told text={risk.why} />
          </span>
        </p>
      );
    case "reject":
      return (
        <label>
          Why not? The agent is told.
          <textarea value={text} required onChange={({ target }) => setText(target.value)} />
        </label>
      );
    case "delegate":
      return (
        <label>
          To whom?
          <input value={text} required onChange={({ target }) => setText(target.value)} />
        </label>
      );
    case "edit":
      return <JsonField label="The input that you would approve" {...{ text, setText, problem }} />;
    case "answer":
      return options.length > 0 ? (
        <fieldset className="stack">
          <legend>Your answer</legend>
          {options.map((option) => (
            <label key={option} className="choice">
              <input
                type="radio"
                name="answer"
                value={option}
                checked={text === option}
                onChange={() => setText(option)}
              />
              <Told text={option} />
            </label>
          ))}
          {problem === undefined ? null : <p className="problem">{problem}</p>}
        </fieldset>
      ) : (
        <JsonField label="Your answer: text, or JSON" {...{ text, setText, problem }} />
      );
  }
}

type Said = Omit<DecideRequest, "saw"> | { readonly problem: string };

function toSaid(asked: Asked, text: string, options: readonly string[]): Said {
  switch (asked) {
    case "approve":
      return { verdict: "approve" };
    case "reject":
      return { verdict: "reject", reason: text };
    case "delegate":
      return { verdict: "delegate", to: text.trim() };
    case "edit": {
      const read = readJson(text);
      return "problem" in read ? read : { verdict: "edit", input: read.value };
    }
    case "answer": {
      if (text.trim() === "") return { problem: "The answer is empty." };
      const read = options.length > 0 ? { problem: "" } : readJson(text);
      return { verdict: "answer", answer: "problem" in read ? text : read.value };
    }
  }
}
