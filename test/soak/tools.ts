import { z } from "zod";

import type { Tool } from "../../packages/tutti/src/contracts/callable.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import type { RecorderClient } from "./recorder-client.ts";

const what = z.object({ what: z.string() });
type What = z.infer<typeof what>;

/** Each way in which a tool can meet a crash. All of them act on the recorder. */
export interface SoakTools {
  /** Once; can be asked; can be taken back. */
  readonly charge: Tool<What, string>;
  /** Once; nobody can ask it: a person has to. */
  readonly mail: Tool<What, string>;
  /** May be repeated under its key; can be taken back. */
  readonly publish: Tool<What, string>;
  /** Once for everyone: runs that ask for the same badge share it. */
  readonly badge: Tool<What, string>;
}

/** Few attempts, so that the last one often knows that it did nothing, and an earlier one does not know. */
const retry = { attemptsMax: 2, delayMs: 4 } as const;

export function toSoakTools(recorder: RecorderClient): SoakTools {
  const common = { input: what, output: z.string(), retry } as const;
  return {
    charge: tool({
      ...common,
      name: "charge",
      does: "Takes money.",
      effect: "once",
      run: (_, host) => recorder.act(host.idempotencyKey, true),
      check: (_, host) => recorder.receipt(host.idempotencyKey),
      undo: (_, host) => recorder.takeBack(host.idempotencyKey),
    }),
    mail: tool({
      ...common,
      name: "mail",
      does: "Sends a letter that nobody can trace.",
      effect: "once",
      run: (_, host) => recorder.act(host.idempotencyKey, true),
    }),
    publish: tool({
      ...common,
      name: "publish",
      does: "Puts a page where the last one was.",
      effect: "idempotent",
      run: (_, host) => recorder.act(host.idempotencyKey, false),
      undo: (_, host) => recorder.takeBack(host.idempotencyKey),
    }),
    badge: tool({
      ...common,
      name: "badge",
      does: "Prints a badge.",
      effect: "once",
      key: (input) => input.what,
      run: (_, host) => recorder.act(host.idempotencyKey, true),
      check: (_, host) => recorder.receipt(host.idempotencyKey),
    }),
  };
}
