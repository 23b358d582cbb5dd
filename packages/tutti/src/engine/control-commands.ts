import {
  anything,
  branded,
  decimal,
  fields,
  flag,
  integer,
  listOf,
  oneOf,
  recordOf,
  text,
  type Shape,
  type ShapeOf,
} from "../base/shape.ts";
import { reasonCodes } from "../contracts/autonomy.ts";
import { amountShape } from "../contracts/budget.ts";
import { directiveKinds, type Directive } from "../contracts/directive.ts";
import { freezeShape } from "../contracts/freeze.ts";
import type { EffectKey, RunId, StepKey } from "../contracts/ids.ts";
import { priorities } from "../contracts/run-record.ts";
import type { PersonsVote } from "./inbox.ts";
import type { Verdict } from "./tutti.ts";

const run: Shape<RunId> = branded(text);
const step: Shape<StepKey> = branded(text);
const effect: Shape<EffectKey> = branded(text);

const verdict: Shape<Verdict> = (value, path) => {
  const { kind } = fields({ kind: oneOf("done", "not-done") })(value, path);
  const said = fields({ by: text }, { note: text })(value, path);
  return kind === "not-done" ? { kind, ...said } : { kind, ...said, ...fields({}, { output: anything })(value, path) };
};

export const personsVoteShape: Shape<PersonsVote> = (value, path) => {
  const said = fields({ by: text, saw: text }, { note: text, code: oneOf(...reasonCodes) })(value, path);
  const { verdict: word } = fields({ verdict: oneOf("approve", "abstain", "reject", "edit", "answer", "delegate") })(
    value,
    path,
  );
  switch (word) {
    case "approve":
    case "abstain":
      return { ...said, verdict: word };
    case "reject":
      return { ...said, verdict: word, ...fields({ reason: text })(value, path) };
    case "edit":
      return { ...said, verdict: word, ...fields({ input: anything })(value, path) };
    case "answer":
      return { ...said, verdict: word, ...fields({ answer: anything })(value, path) };
    case "delegate":
      return { ...said, verdict: word, ...fields({ to: text })(value, path) };
  }
};

export const wantedDirectiveShape: Shape<Directive> = (value, path) => {
  const { kind } = fields({ kind: oneOf(...directiveKinds, "pause", "resume") })(value, path);
  switch (kind) {
    case "goal":
    case "constraint":
    case "context":
      return { kind, ...fields({ text })(value, path) };
    case "budget":
      return { kind, ...fields({ budget: amountShape })(value, path) };
    case "autonomy":
      return { kind, ...fields({ level: integer })(value, path) };
    case "plan-edit":
      return { kind, ...fields({ plan: text, edit: anything })(value, path) };
    case "take-over":
      return { kind, ...fields({}, { agent: text })(value, path) };
    case "hand-back":
      return { kind, ...fields({}, { agent: text, output: anything })(value, path) };
    default:
      return { kind };
  }
};

/** Everything that a running engine does for another process, with what each command needs. There is nothing else. */
export const controlCommands = {
  ping: fields({}),
  signal: fields({ run, name: text }, { payload: anything, id: text }),
  cancel: fields({ run }, { reason: text, by: text }),
  pause: fields({ run }, { by: text }),
  resume: fields({ run }, { by: text }),
  settle: fields({ effect, verdict }),
  erase: fields({ subject: text, by: text }),
  fork: fields({ run, step, by: text }, { output: anything, input: anything }),
  decide: fields({ votes: listOf(fields({ approval: text, vote: personsVoteShape })) }),
  steer: fields({ run, directive: wantedDirectiveShape, by: text }, { reason: text }),
  undo: fields({ run, by: text }, { reason: text }),
  freeze: freezeShape,
  unfreeze: freezeShape,
  grant: fields({ agent: text, action: text, level: integer, by: text }, { reason: text, until: integer }),
  withdraw: fields({ agent: text, action: text, level: integer, by: text, reason: text }),
  cap: fields({ tenant: text, level: integer, by: text }, { reason: text }),
  sample: fields({ share: decimal, by: text }, { role: text }),
  slots: fields({}),
  waits: fields({ runs: listOf(run) }),
} as const satisfies Record<string, Shape<unknown>>;

export type ControlCommand = keyof typeof controlCommands;
export type ControlRequest<Command extends ControlCommand> = ShapeOf<(typeof controlCommands)[Command]>;

/** What each command answers. */
export const controlAnswers = {
  ping: fields({ pid: integer }),
  signal: fields({}),
  cancel: fields({}),
  pause: fields({}),
  resume: fields({}),
  settle: fields({}),
  erase: fields({}),
  fork: fields({ run }),
  decide: fields({ decided: listOf(fields({ id: text, run, state: text })) }),
  steer: fields({ version: integer, stopped: integer, isWaiting: flag }),
  undo: fields({}),
  freeze: fields({}),
  unfreeze: fields({}),
  grant: fields({}),
  withdraw: fields({}),
  cap: fields({}),
  sample: fields({}),
  slots: fields({
    slots: listOf(
      fields(
        {
          limit: text,
          of: oneOf("calls", "runs"),
          inUse: integer,
          waiting: listOf(fields({ priority: oneOf(...priorities), tenant: text, count: integer })),
        },
        { slots: integer },
      ),
    ),
  }),
  /** By run, for those that wait for a limit. */
  waits: fields({ waits: recordOf(listOf(text)) }),
} as const satisfies Record<ControlCommand, Shape<unknown>>;

export type ControlAnswer<Command extends ControlCommand> = ShapeOf<(typeof controlAnswers)[Command]>;

export function isControlCommand(value: string): value is ControlCommand {
  return Object.hasOwn(controlCommands, value);
}
