import { tool, type Tool } from "tutti";
import { z } from "zod";

import type { Client } from "./client.ts";

export const CustomerRecord = z.object({
  kind: z.string(),
  email: z.string(),
  fields: z.record(z.string(), z.string()),
});
export const Mail = z.object({ to: z.string(), subject: z.string(), text: z.string() });
export const Task = z.object({ about: z.string(), owner: z.string(), inDays: z.number(), text: z.string() });
const Done = z.object({ id: z.string() });

export type CustomerRecord = z.infer<typeof CustomerRecord>;
export type Mail = z.infer<typeof Mail>;
export type Task = z.infer<typeof Task>;
type Done = z.infer<typeof Done>;

export interface Tools {
  readonly saveRecord: Tool<CustomerRecord, Done>;
  readonly sendMail: Tool<Mail, Done>;
  readonly openTask: Tool<Task, Done>;
}

const retry = { attemptsMax: 4, delayMs: 5, delayMaxMs: 20 } as const;

/** What may be done. The key says what an action is: whoever wants the same one, and however often, gets the one that was done. */
export function toTools(client: Client): Tools {
  return {
    saveRecord: tool({
      name: "record.save",
      does: "Saves a record of a customer.",
      input: CustomerRecord,
      output: Done,
      effect: "idempotent", // saving it again changes nothing
      key: ({ kind, email }) => `${kind}/${email}`,
      retry,
      run: (record) => client.act("PUT", `records/${record.kind}/${record.email}`, record),
      check: ({ kind, email }) => client.find(`records/${kind}/${email}`),
      async undo({ id }) {
        await client.outlast(); // or a saving that is still on its way would come after this
        await client.act("DELETE", `records/${id}`);
      },
    }),
    sendMail: tool({
      name: "mail.send",
      does: "Sends a mail.",
      input: Mail,
      output: Done,
      effect: "once", // a mail can't be taken back, and the server sends whatever it is given
      key: ({ to, subject }) => `${to}/${subject}`,
      retry,
      run: (mail, { idempotencyKey }) => client.act("POST", toPath("mails", idempotencyKey), mail),
      check: (_mail, { idempotencyKey }) => client.find(toPath("mails", idempotencyKey)),
    }),
    openTask: tool({
      name: "task.open",
      does: "Opens a task for a colleague.",
      input: Task,
      output: Done,
      effect: "once",
      key: ({ about }) => about,
      retry,
      run: (task, { idempotencyKey }) => client.act("POST", toPath("tasks", idempotencyKey), task),
      check: (_task, { idempotencyKey }) => client.find(toPath("tasks", idempotencyKey)),
    }),
  };
}

/** The services keep the reference with what they did, so that they can be asked for it; they do not compare it. */
export function toPath(kind: "mails" | "tasks", reference: string): string {
  return `${kind}?reference=${encodeURIComponent(reference)}`;
}
