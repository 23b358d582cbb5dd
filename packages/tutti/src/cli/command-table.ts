import type { CommandSpec, OptionSpec } from "./command.ts";

const ledger: OptionSpec = { value: "path", does: "The ledger's file (.tutti/ledger.db)." };
const json: OptionSpec = { does: "Prints JSON, one value a line, and nothing else on standard output." };
const by: OptionSpec = { value: "name", does: "Who says so (the user's name)." };
const priority: OptionSpec = {
  value: "low|normal|high",
  does: "Who goes first where runs or their calls wait (normal).",
};

/** How runs are watched; shared by the commands that drive one. */
const watching = {
  ledger,
  durability: {
    value: "power|process",
    does: "What acknowledged entries survive: a power cut (default), or the death of the process.",
  },
  json: { does: "Prints the run's entries as JSON, one a line, and nothing else on standard output." },
  quiet: { does: "Shows no progress; only the result." },
  wait: { does: "Stays when the run waits for a signal or a person (default on a terminal)." },
  "no-wait": { does: "Leaves as soon as the run waits for anything, also for a time." },
} as const satisfies Record<string, OptionSpec>;

/** Every command. Help, parsing and docs/cli.md are made from this. */
export const commands: readonly CommandSpec[] = [
  {
    name: "run",
    group: "run",
    does: "Starts a flow from a file and shows its progress.",
    operands: [
      { name: "file", required: true },
      { name: "flow", required: false },
    ],
    options: {
      input: {
        value: "json|@file|-",
        does: "The flow's input: JSON, a file with JSON, or standard input ({} by default).",
      },
      id: { value: "id", does: "The run's id; the same id again finds the first run." },
      key: { value: "key", does: "Starts with one key are one run." },
      priority,
      ...watching,
    },
    more: "The file is TypeScript or JavaScript and exports one or more flows; `models`, `tools`, `limits` and `budgets` that it exports are used too.\nSo are the models and tools of `tutti.config.ts`, next to it, above it in the package, or in this folder.\nWith several flows, name one; with several versions of it, name@version.\nThe result goes to standard output, progress to standard error. Ctrl-C pauses the run at a safe point; twice leaves at once.",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "resume",
    group: "run",
    does: "Goes on with a run that was paused, parked or interrupted.",
    operands: [
      { name: "run", required: true },
      { name: "file", required: false },
    ],
    options: { by, ...watching },
    more: "With the flow's file the run is driven here. Without it the running engine takes it up, or the next one that knows the flow.",
    load: () => import("./commands/resume.ts"),
  },
  {
    name: "fork",
    group: "run",
    does: "Starts a run that shares another's past before a step.",
    operands: [
      { name: "run", required: true },
      { name: "step", required: true },
      { name: "file", required: false },
    ],
    options: {
      output: { value: "json|@file|-", does: "What the step shall have returned instead." },
      input: { value: "json|@file|-", does: 'What the step shall be given instead; of the step "" the run\'s input.' },
      ...watching,
    },
    more: "What was done before the step is shared, not repeated.",
    load: () => import("./commands/fork.ts"),
  },
  {
    name: "tool",
    group: "run",
    does: "Lists the tools of the project or of a file, shows one's contract, or calls it.",
    operands: [
      { name: "list|show|call", required: true },
      { name: "file", required: false },
      { name: "tool", required: false },
    ],
    options: {
      input: {
        value: "json|@file|-",
        does: "The tool's input: JSON, a file with JSON, or standard input ({} by default).",
      },
      id: { value: "id", does: "The run's id; the same id again finds the first call." },
      key: { value: "key", does: "Calls with one key are one call." },
      priority,
      ...watching,
      json: { does: "Prints JSON: a tool a line; of a call the run's entries, and nothing else on standard output." },
    },
    more: "Without a file they are the project's: the `tools` and `servers` of `tutti.config.ts`, or else those that are built in and need no key.\nA file is TypeScript or JavaScript and exports tools, or agents that have some, under any name; a folder stands for its project.\nA call is a run of one step: its effect is recorded before and after, and an interrupted one goes on with `tutti resume`.\nAll options but --json are for calls.",
    load: () => import("./commands/tool.ts"),
  },
  {
    name: "runs",
    group: "look",
    does: "Lists runs, the newest first.",
    operands: [],
    options: {
      status: {
        value: "status",
        does: "Only these, separated by commas: running, waiting, paused, in-doubt, parked, done, failed, cancelled.",
      },
      flow: { value: "name", does: "Only runs of this flow." },
      limit: { value: "n", does: "At most so many (20)." },
      ledger,
      json,
    },
    load: () => import("./commands/runs.ts"),
  },
  {
    name: "show",
    group: "look",
    does: "Shows a run: its steps, its result, what it waits for.",
    operands: [{ name: "run", required: true }],
    options: { entries: { does: "Lists the entries of the ledger instead." }, ledger, json },
    load: () => import("./commands/show.ts"),
  },
  {
    name: "why",
    group: "look",
    does: "Says what led to a run's result, or to one of its steps.",
    operands: [
      { name: "run", required: true },
      { name: "step", required: false },
    ],
    options: { depth: { value: "n", does: "At most so many steps back (12)." }, ledger, json },
    load: () => import("./commands/why.ts"),
  },
  {
    name: "plan",
    group: "look",
    does: "Shows a run's plans: tasks, states and reasons; or edits one.",
    operands: [
      { name: "run", required: true },
      { name: "plan", required: false },
    ],
    options: {
      edit: {
        value: "json|@file|-",
        does: "Sends the plan another version of itself; it is checked before it is taken.",
      },
      why: { value: "text", does: "Why it is edited." },
      by,
      ledger,
      json,
    },
    more: "With several plans that are running, name the one to edit. `tutti plan <run> --json` prints the plan that --edit takes.",
    load: () => import("./commands/plan.ts"),
  },
  {
    name: "draw",
    group: "look",
    does: "Draws a plan, what a file declares, or what a run did.",
    operands: [
      { name: "file", required: false },
      { name: "callables", required: false },
    ],
    options: {
      run: { value: "run", does: "Draws what this run did instead." },
      svg: { does: "Prints SVG; Mermaid otherwise." },
      ledger,
    },
    more: "The file is a plan (.json), or TypeScript or JavaScript that exports flows, agents or tools.\nWith the file of its callables a plan also shows effects and what may not be done together.",
    load: () => import("./commands/draw.ts"),
  },
  {
    name: "limits",
    group: "look",
    does: "Shows what accounts may spend and have spent, what is left alone, and who is in and who waits.",
    operands: [],
    options: {
      under: { value: "prefix", does: "Only what begins so: tenant/, run/<id>, tool/." },
      limit: { value: "n", does: "At most so many accounts (50)." },
      ledger,
      json,
    },
    load: () => import("./commands/limits.ts"),
  },
  {
    name: "documents",
    group: "look",
    does: "Lists shared documents, or the versions of one and what each changed.",
    operands: [{ name: "document", required: false }],
    options: { limit: { value: "n", does: "At most so many (20)." }, ledger, json },
    more: "A document is named by its type and its key: stock/apples.",
    load: () => import("./commands/documents.ts"),
  },
  {
    name: "events",
    group: "look",
    does: "Lists subscriptions and what is parked, or the events of a topic.",
    operands: [{ name: "topic", required: false }],
    options: {
      after: { value: "position", does: "Only events after this one." },
      limit: { value: "n", does: "At most so many (20)." },
      ledger,
      json,
    },
    load: () => import("./commands/events.ts"),
  },
  {
    name: "schedules",
    group: "look",
    does: "Lists what is started by the clock, and when it is due next.",
    operands: [],
    options: { ledger, json },
    load: () => import("./commands/schedules.ts"),
  },
  {
    name: "signal",
    group: "steer",
    does: "Sends a signal to a run.",
    operands: [
      { name: "run", required: true },
      { name: "name", required: true },
      { name: "json", required: false },
    ],
    options: { id: { value: "id", does: "The same id twice is one signal." }, ledger, json },
    load: () => import("./commands/signal.ts"),
  },
  {
    name: "settle",
    group: "steer",
    does: "Says whether an effect that is in doubt happened.",
    operands: [
      { name: "effect", required: true },
      { name: "done|not-done", required: true },
    ],
    options: {
      output: { value: "json|@file|-", does: "What the tool would have returned." },
      note: { value: "text", does: "How you know." },
      by,
      ledger,
      json,
    },
    load: () => import("./commands/settle.ts"),
  },
  {
    name: "pause",
    group: "steer",
    does: "Stops a run at a safe point.",
    operands: [{ name: "run", required: true }],
    options: { by, ledger, json },
    load: () => import("./commands/pause.ts"),
  },
  {
    name: "cancel",
    group: "steer",
    does: "Cancels a run and what it started.",
    operands: [{ name: "run", required: true }],
    options: { reason: { value: "text", does: "Why." }, by, ledger, json },
    load: () => import("./commands/cancel.ts"),
  },
  {
    name: "verify",
    group: "check",
    does: "Checks that no entry of a ledger is missing or was changed.",
    operands: [{ name: "ledger", required: false }],
    options: { json },
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "doctor",
    group: "check",
    does: "Says whether a project needs orchestration, and what it misses for production.",
    operands: [{ name: "file", required: false }],
    options: {
      ledger: {
        value: "path",
        does: "The ledger whose open runs are compared with the code (the project's, if there is one).",
      },
      json: { does: "Prints JSON: a finding a line, after a first line with the verdict." },
    },
    more: "Without a file it is this folder; of a folder all code but tests is read, and what only declares is loaded.\nNothing is called and nothing is changed. It ends with 1 if there are errors, and with 0 if there are none, only warnings or advice.",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "upgrade",
    group: "check",
    does: "Replays every open run against new code, and says which could not go on.",
    operands: [
      { name: "check", required: true },
      { name: "file", required: true },
    ],
    options: { ledger, json },
    more: "Nothing is written, no tool and no model is called. It ends with 1 if a run could not go on: its code has changed, or its version is not in the file.",
    load: () => import("./commands/upgrade.ts"),
  },
];
