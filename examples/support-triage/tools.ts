import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { tool, type Tool } from "tutti";
import { z } from "zod";

import { Advice, Order } from "./shapes.ts";

export interface DeskTools {
  readonly findOrders: Tool<{ customer: string }, { orders: Order[] }>;
  readonly readOrder: Tool<{ order: string }, { orders: Order[] }>;
  readonly searchManual: Tool<{ text: string }, { answers: string[] }>;
}

/** What peers may look up, in the files of a desk. */
export function toDeskTools(folder: string): DeskTools {
  const readOrders = async (): Promise<Order[]> =>
    z.array(Order).parse(await readJson(path.join(folder, "orders.json")));
  const Orders = z.object({ orders: z.array(Order) });
  return {
    findOrders: tool({
      name: "orders.find",
      does: "Finds the orders of a customer.",
      input: z.object({ customer: z.string() }),
      output: Orders,
      effect: "read",
      run: async ({ customer }) => ({ orders: (await readOrders()).filter((order) => order.customer === customer) }),
    }),
    readOrder: tool({
      name: "orders.read",
      does: "Returns an order by its number; none if there is no such order.",
      input: z.object({ order: z.string() }),
      output: Orders,
      effect: "read",
      run: async ({ order: number }) => ({ orders: (await readOrders()).filter(({ order }) => order === number) }),
    }),
    searchManual: tool({
      name: "manual.search",
      does: "Finds what the manuals say about a problem.",
      input: z.object({ text: z.string() }),
      output: z.object({ answers: z.array(z.string()) }),
      effect: "read",
      async run({ text }) {
        const advice = z.array(Advice).parse(await readJson(path.join(folder, "manual.json")));
        const fitting = advice.filter(({ when }) => when.every((word) => text.toLowerCase().includes(word)));
        return { answers: fitting.map(({ answer }) => answer) };
      },
    }),
  };
}

export type Outbox = Tool<{ box: "answers" | "for-people"; name: string; text: string }, { path: string }>;

/** Puts a letter into a box, as a file; twice is as good as once. */
export function toOutbox(folder: string): Outbox {
  return tool({
    name: "outbox.put",
    does: "Puts a letter into the box of answers, or into the one for people.",
    input: z.object({ box: z.enum(["answers", "for-people"]), name: z.string().regex(/^[\w-]+$/), text: z.string() }),
    output: z.object({ path: z.string() }),
    effect: "idempotent",
    async run({ box, name, text }) {
      const file = path.join(folder, box, `${name}.txt`);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text, { flush: true });
      return { path: file };
    },
  });
}

export async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, "utf8"));
}
