import type { CommandSpec, OptionSpec } from "./command.ts";

const ledger: OptionSpec = { value: "path", does: "The ledger's file (.tutti/ledger.db)." };
const json: OptionSpec = { does: "Prints JSON, one value a line, and nothing else on standard output." };
const by: OptionSpec = { value: "name", does: "Who says so (the user's name)." };
const priority: OptionSpec = {
  value: "low|normal|high",
  does: "Who goes first where runs or their calls wait (normal).",
};

/** What is typed to name an approval and what was looked at, as `tutti inbox` shows it. */
const approval = { name: "approval", required: true } as const;

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
      by,
      priority,
      ...watching,
    },
    more: "The file is TypeScript or JavaScript and exports one or more flows; `models`, `tools`, `limits` and `budgets` that it exports are used too.\nSo are the models and tools of `tutti.config.ts`, next to it, above it in the package, or in this folder; its policy and people count for every run.\nWith several flows, name one; with several versions of it, name@version.\nThe result goes to standard output, progress to standard error. Ctrl-C pauses the run at a safe point; twice leaves at once.",
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
      by,
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
    name: "inbox",
    group: "look",
    does: "Lists what waits for people, or shows all that is known of one.",
    operands: [{ name: "approval", required: false }],
    options: { limit: { value: "n", does: "At most so many (50)." }, ledger, json },
    load: () => import("./commands/inbox.ts"),
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
    name: "approve",
    group: "steer",
    does: "Says yes to what waits for people.",
    operands: [approval],
    options: { note: { value: "text", does: "Why." }, by, ledger, json },
    more: "An approval is named as `tutti inbox` shows it: its id, and after a colon what you have looked at. A yes counts for that and nothing else.",
    load: () => import("./commands/decide.ts"),
  },
  {
    name: "reject",
    group: "steer",
    does: "Says no to what waits for people, and why.",
    operands: [approval],
    options: { reason: { value: "text", does: "Why; an agent is told." }, by, ledger, json },
    load: () => import("./commands/decide.ts"),
  },
  {
    name: "edit",
    group: "steer",
    does: "Says yes to the same call with another input.",
    operands: [approval],
    options: {
      input: { value: "json|@file|-", does: "The whole input that it shall be called with." },
      by,
      ledger,
      json,
    },
    more: "The flow's own code checks the input and the policy decides it again, so an engine with the flow must run.",
    load: () => import("./commands/decide.ts"),
  },
  {
    name: "delegate",
    group: "steer",
    does: "Hands a decision to somebody else.",
    operands: [approval, { name: "person", required: true }],
    options: { by, ledger, json },
    load: () => import("./commands/decide.ts"),
  },
  {
    name: "answer",
    group: "steer",
    does: "Answers a question of a flow.",
    operands: [approval, { name: "json", required: true }],
    options: { by, ledger, json },
    load: () => import("./commands/decide.ts"),
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
    name: "policy",
    group: "check",
    does: "Checks a policy, tries it on cases, or on all that a ledger holds.",
    operands: [
      { name: "check|test|replay", required: true },
      { name: "file", required: true },
      { name: "cases", required: false },
    ],
    options: { limit: { value: "n", does: "At most so many differences of a replay (20)." }, ledger, json },
    more: "check: every rule against the schema, with the line of what is wrong.\ntest: the cases are a JSON list of { name, request, verdict }; of a verdict only what is given is compared.\nreplay: what the policy would have decided otherwise than was recorded, and which of its rules never fired.",
    load: () => import("./commands/policy.ts"),
  },
  {
    name: "verify",
    group: "check",
    does: "Checks that no entry of a ledger is missing or was changed.",
    operands: [{ name: "ledger", required: false }],
    options: { json },
    load: () => import("./commands/verify.ts"),
  },
];
