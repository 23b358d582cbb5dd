import { flow, isTuttiError, type Agent, type Flow } from "tutti";
import type { PeerTask } from "tutti/teams";
import { z } from "zod";

import { Closed, Ticket, type Answer } from "./shapes.ts";
import type { Outbox } from "./tools.ts";

const ticketsAtOnce = 4;

export const TriageInput = z.object({ tickets: z.array(Ticket) });
export const TriageOutput = z.object({ closed: z.array(Closed) });

/** Every ticket goes to the desk. One that its peers only pass round is put before a person, with the way that it went. */
export function toTriage(
  desk: Agent<PeerTask, Answer>,
  outbox: Outbox,
): Flow<z.infer<typeof TriageInput>, z.infer<typeof TriageOutput>> {
  return flow({
    name: "triage",
    does: "Answers customers' tickets.",
    input: TriageInput,
    output: TriageOutput,
    run: async (run, { tickets }) => {
      const closed = await run.map(
        tickets,
        async (branch, { name, text }): Promise<Closed> => {
          try {
            const answer = await branch.call(desk, { goal: text });
            const { path } = await branch.call(outbox, { box: "answers", name, text: answer.text });
            return { kind: "answered", ticket: name, answer, path };
          } catch (error) {
            if (!isTuttiError(error) || error.code !== "HAND_OFF_LOOP") throw error;
            const trail = z.array(z.string()).parse(error.facts["trail"]).join(" → ");
            const why = `${error.message} (${trail})`;
            const { path } = await branch.call(outbox, { box: "for-people", name, text: `${why}\n\n${text}` });
            return { kind: "escalated", ticket: name, why, path };
          }
        },
        { name: "tickets", concurrency: ticketsAtOnce },
      );
      return { closed: [...closed] };
    },
  });
}
