import { z } from "zod";

import type { Tool } from "../../packages/tutti/src/contracts/callable.ts";
import type { EffectKey } from "../../packages/tutti/src/contracts/ids.ts";
import { tool, type ToolDefinition } from "../../packages/tutti/src/tools/tool.ts";

export const Mail = z.object({ to: z.string(), text: z.string().optional() });
export const Receipt = z.object({ receipt: z.string() });

export type MailTool = Tool<{ to: string; text?: string | undefined }, { receipt: string }>;
export type MailDefinition = ToolDefinition<{ to: string; text?: string | undefined }, { receipt: string }>;

/** A post office that counts: what a tool really did, whatever the ledger says. */
export interface PostOffice {
  /** To whom, in order, once per delivery. */
  readonly sent: readonly string[];
  /** To whom, in order, once per recall. */
  readonly recalled: readonly string[];
  readonly keys: readonly EffectKey[];
  send(to: string, key: EffectKey): { readonly receipt: string };
  receiptOf(to: string): { readonly receipt: string } | undefined;
  recall(to: string): void;
}

export function openPostOffice(): PostOffice {
  const sent: string[] = [];
  const recalled: string[] = [];
  const keys: EffectKey[] = [];
  return {
    sent,
    recalled,
    keys,
    send(to, key) {
      sent.push(to);
      keys.push(key);
      return { receipt: `receipt of ${to}` };
    },
    receiptOf: (to) => (sent.includes(to) ? { receipt: `receipt of ${to}` } : undefined),
    recall: (to) => void recalled.push(to),
  };
}

/** `mail.send`: once per recipient for everyone, unless told otherwise. */
export function toMailTool(office: PostOffice, change: Partial<MailDefinition> = {}): MailTool {
  return tool({
    name: "mail.send",
    does: "Sends a mail.",
    input: Mail,
    output: Receipt,
    effect: "once",
    key: ({ to }) => to,
    run: ({ to }, { idempotencyKey }) => office.send(to, idempotencyKey),
    ...change,
  });
}
