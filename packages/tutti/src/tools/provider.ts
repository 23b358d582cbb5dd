import type { ToolHost, UndoHost } from "../contracts/callable.ts";

/**
 * One way of doing what a capability promises: a service, or something built in. One call is one attempt: retries belong to the step,
 * and going on to the next provider belongs to the tool that was made of several.
 */
export interface Provider<Input, Output> {
  /** Lower case, as in a configuration: `brave`. */
  readonly name: string;
  /** @throws TuttiError whose `effect` says whether anything happened: only after `none` may another provider be asked. */
  run(input: Input, host: ToolHost): Promise<Output> | Output;
  /** Asked when the outcome is in doubt: the output if it happened here, `undefined` if it certainly did not. Throws if it can't tell. */
  check?(input: Input, host: ToolHost): Promise<Output | undefined> | Output | undefined;
  /** Takes the effect back; has to bear being called twice. */
  undo?(output: Output, host: UndoHost<Input>): Promise<void> | void;
}
