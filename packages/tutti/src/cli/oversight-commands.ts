import { by, json, ledger, reason } from "./command-options.ts";
import type { CommandSpec } from "./command.ts";

/** What people do about agents: levels, overrides, reviews. */
export const oversightCommands: readonly CommandSpec[] = [
  {
    name: "autonomy",
    group: "steer",
    does: "Shows what agents may do by themselves and why; grants, withdraws or caps it.",
    operands: [
      { name: "agent|grant|withdraw|cap", required: false },
      { name: "agent|tenant", required: false },
    ],
    options: {
      for: { value: "kind", does: "Which actions: tool/<name>, tier/<tier>, tier/<tier>/<data class>." },
      level: { value: "0-5", does: "0 shadow, 1 operator, 2 collaborator, 3 consultant, 4 approver, 5 observer." },
      until: { value: "date", does: "When a grant ends." },
      reason,
      by,
      ledger,
      json,
    },
    more: "An agent is named with its version: writer@2. Another version has earned nothing.\nMore is proposed in the inbox when people have agreed often enough, and taken away by itself when something goes wrong.",
    load: () => import("./commands/autonomy.ts"),
  },
  {
    name: "overrides",
    group: "look",
    does: "Exports what people decided otherwise than was proposed, one labelled example a line.",
    operands: [{ name: "export", required: true }],
    options: { to: { value: "file", does: "A file that does not exist yet; standard output otherwise." }, ledger },
    load: () => import("./commands/overrides.ts"),
  },
  {
    name: "review",
    group: "steer",
    does: "Says whether an output is right; without one, how many are wrong.",
    operands: [
      { name: "approval", required: false },
      { name: "good|defective", required: false },
    ],
    options: {
      defect: { value: "text", does: "What is wrong; several separated by semicolons." },
      share: { value: "0-1", does: "Draws at least this share of outputs from now on." },
      role: { value: "role", does: "With --share: only people with this role review." },
      by,
      ledger,
      json,
    },
    more: "What was drawn waits in the inbox; an approval is named as `tutti inbox` shows it.",
    load: () => import("./commands/review.ts"),
  },
];
