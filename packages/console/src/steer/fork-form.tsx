import { useState, type ReactNode } from "react";

import { useCommand } from "../data/command.ts";
import { goTo, toHref } from "../data/place.ts";
import { FormEnd } from "../parts/form-end.tsx";
import { JsonField, readJson } from "../parts/json-field.tsx";
import { Modal } from "../parts/modal.tsx";
import { Told } from "../parts/told.tsx";

interface ForkFormProps {
  readonly run: string;
  /** The step to go on from; "" for the beginning. */
  readonly step: string;
  /** What it returned, or what the run was given, as text. */
  readonly before: string;
  readonly close: () => void;
}

type Change = "none" | "output" | "input";

/** Starts another run from a point of this one's past. */
export function ForkForm({ run, step, before, close }: ForkFormProps): ReactNode {
  const command = useCommand();
  const isWhole = step === "";
  const [change, setChange] = useState<Change>(isWhole ? "input" : "output");
  const [text, setText] = useState(before);
  const [problem, setProblem] = useState<string>();
  const send = async (): Promise<void> => {
    const read = change === "none" ? undefined : readJson(text);
    setProblem(read !== undefined && "problem" in read ? read.problem : undefined);
    if (read !== undefined && "problem" in read) return;
    const edit = read === undefined ? {} : { [change]: read.value };
    const answer = await command.send("forkRun", { params: { run }, body: { step, ...edit } }, "The fork is started.");
    if (answer !== undefined) goTo(toHref(["runs", answer.run]));
  };
  const choices: readonly (readonly [Change, string])[] = isWhole
    ? [
        ["input", "another input"],
        ["none", "the same input"],
      ]
    : [
        ["output", "another result of this step"],
        ["input", "another input of this step"],
        ["none", "this step done anew"],
      ];
  return (
    <Modal title={isWhole ? "Start again" : "Fork from here"} close={close}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p>
          A new run shares the past of <Told text={run} className="mono" />
          {isWhole ? "" : " before this step"}. What is recorded there is taken over, and no effect is done again. This
          run stays as it is.
        </p>
        <fieldset>
          <legend>Go on with</legend>
          {choices.map(([each, words]) => (
            <label key={each} className="choice">
              <input type="radio" name="change" checked={change === each} onChange={() => setChange(each)} />
              {words}
            </label>
          ))}
        </fieldset>
        {change === "none" ? null : (
          <JsonField
            label={change === "output" ? "The result, as JSON" : "The input, as JSON"}
            {...{ text, setText, problem }}
          />
        )}
        <FormEnd error={command.error} label="Start the fork" disabled={command.isSending} close={close} />
      </form>
    </Modal>
  );
}
