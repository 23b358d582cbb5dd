import { reasonCodes } from "../contracts/autonomy.ts";
import { by, json, ledger } from "./command-options.ts";
import type { CommandSpec } from "./command.ts";

/** What is typed to name an approval and what was looked at, as `tutti inbox` shows it. */
const approval = { name: "approval", required: true } as const;

/** Several that are decided together: all of them, or none. */
const approvals = { ...approval, isList: true } as const;

const code = { value: "word", does: `Why, as one word: ${reasonCodes.join(", ")}.` } as const;

/** What people say to what they are asked. */
export const approvalCommands: readonly CommandSpec[] = [
  {
    name: "approve",
    group: "steer",
    does: "Says yes to what waits for people.",
    operands: [approvals],
    options: { note: { value: "text", does: "Why." }, by, ledger, json },
    more: "An approval is named as `tutti inbox` shows it: its id, and after a colon what you have looked at. A yes counts for that and nothing else. Several are decided together: all of them, or none.",
    load: () => import("./commands/decide.ts"),
  },
  {
    name: "reject",
    group: "steer",
    does: "Says no to what waits for people, and why.",
    operands: [approvals],
    options: { reason: { value: "text", does: "Why; an agent is told." }, code, by, ledger, json },
    load: () => import("./commands/decide.ts"),
  },
  {
    name: "edit",
    group: "steer",
    does: "Says yes to the same call with another input.",
    operands: [approval],
    options: {
      input: { value: "json|@file|-", does: "The whole input that it shall be called with." },
      note: { value: "text", does: "Why." },
      code,
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
];
