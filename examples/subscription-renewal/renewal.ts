import { appendFileSync, existsSync, readFileSync } from "node:fs";

import { flow, signal, tool, type Flow, type Tool } from "tutti";
import { z } from "zod";

import { Customer, dayMs, Letter, reminderDays, toDay } from "./shapes.ts";

export const answered = signal({ name: "answered", payload: z.object({ answer: z.enum(["paid", "cancelled"]) }) });

type Ending = "renewed" | "cancelled" | "lapsed";

/** One subscription, over weeks: reminds, waits for an answer, and ends it one way or the other. It reads as if it took no time. */
export function toRenewal(letters: string): Flow<Customer, { ending: Ending; reminders: number }> {
  const send = toSend(letters);
  return flow({
    name: "renewal",
    does: "Reminds a customer of the renewal, until there is an answer or the time is over.",
    input: Customer,
    output: z.object({ ending: z.enum(["renewed", "cancelled", "lapsed"]), reminders: z.number() }),
    async run(run, { customer, email, priceEur, endsOn }) {
      const endsAt = Date.parse(endsOn);
      let reminders = 0;
      for (const days of [...reminderDays, 0]) {
        const timeoutMs = Math.max(0, endsAt - days * dayMs - run.now());
        const reply = await run.wait(answered, { timeoutMs });
        if (reply !== undefined) {
          const ending = reply.answer === "paid" ? "renewed" : "cancelled";
          await run.call(send, { to: email, about: `${customer}: ${ending}`, sentOn: toDay(run.now()) });
          return { ending, reminders };
        }
        if (days === 0) break;
        await run.call(send, {
          to: email,
          about: `${customer}: ${priceEur} EUR are due in ${days} days`,
          sentOn: toDay(run.now()),
        });
        reminders += 1;
      }
      await run.call(send, { to: email, about: `${customer}: lapsed`, sentOn: toDay(run.now()) });
      return { ending: "lapsed", reminders };
    },
  });
}

function toSend(file: string): Tool<Letter, Letter> {
  return tool({
    name: "letter.send",
    does: "Sends a letter.",
    input: Letter,
    output: Letter,
    effect: "once",
    key: ({ about }) => about,
    run(letter) {
      appendFileSync(file, `${JSON.stringify(letter)}\n`, { flush: true });
      return letter;
    },
    check: ({ about }) => readLetters(file).find((letter) => letter.about === about),
  });
}

/** What was sent so far. */
export function readLetters(file: string): Letter[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => Letter.parse(JSON.parse(line)));
}
