import { appendFileSync, existsSync, readFileSync } from "node:fs";

import { tool, type Tool } from "tutti";
import { z } from "zod";

export const Purchase = z.object({ part: z.string(), shipment: z.string(), supplier: z.string(), pieces: z.number() });
export const Notice = z.object({ order: z.string(), customer: z.string(), shipment: z.string(), days: z.number() });
export type Purchase = z.infer<typeof Purchase>;
export type Notice = z.infer<typeof Notice>;

const Line = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("purchase"), reference: z.string(), content: Purchase }),
  z.object({ kind: z.literal("notice"), reference: z.string(), content: Notice }),
]);
export type Line = z.infer<typeof Line>;

/** What left the house: a file with a line for every purchase and every notice. */
export interface Outbox {
  readonly purchase: Tool<Purchase, { reference: string }>;
  readonly notify: Tool<Notice, { reference: string }>;
  lines(): readonly Line[];
}

export function openOutbox(file: string): Outbox {
  const lines = (): Line[] =>
    existsSync(file)
      ? readFileSync(file, "utf8")
          .trim()
          .split("\n")
          .map((line) => Line.parse(JSON.parse(line)))
      : [];
  const send = (line: Line): { reference: string } => {
    appendFileSync(file, `${JSON.stringify(line)}\n`, { flush: true });
    return { reference: line.reference };
  };
  const find = (reference: string): { reference: string } | undefined =>
    lines().find((line) => line.reference === reference);
  const output = z.object({ reference: z.string() });
  return {
    lines,
    purchase: tool({
      name: "purchase",
      does: "Orders parts from a supplier.",
      input: Purchase,
      output,
      effect: "once",
      key: ({ part, shipment }) => `${part}/${shipment}`,
      run: (content, { idempotencyKey }) => send({ kind: "purchase", reference: idempotencyKey, content }),
      check: (_content, { idempotencyKey }) => find(idempotencyKey),
    }),
    notify: tool({
      name: "notify",
      does: "Tells a customer that an order will be late.",
      input: Notice,
      output,
      effect: "once",
      key: ({ order, shipment }) => `${order}/${shipment}`, // the same notice, whoever sends it
      run: (content, { idempotencyKey }) => send({ kind: "notice", reference: idempotencyKey, content }),
      check: (_content, { idempotencyKey }) => find(idempotencyKey),
    }),
  };
}
