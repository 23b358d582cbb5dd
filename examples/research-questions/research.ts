import { isTuttiError } from "tutti";
import type { Board, Lease } from "tutti/teams";

import { openBell } from "./bell.ts";
import { openCrew } from "./crew.ts";
import type { Answer } from "./finder.ts";

type Task = { readonly question: string };

/** How the questions of a board were answered. */
export interface Research {
  readonly answers: ReadonlyMap<string, Answer & { readonly by: string }>;
  /** Who was killed, at which question. */
  readonly victim: { readonly by: string; readonly id: string } | undefined;
  /** What became of the dead agent's answer when it came after all. */
  readonly tooLate: string;
}

const limitMs = 120_000;

/** Gives open questions to the best bids until none is left. The first agent that has begun is killed while it is at work. */
export async function research(
  board: Board<Task, Answer>,
  { names, library }: { readonly names: readonly string[]; readonly library: string },
): Promise<Research> {
  const bell = openBell();
  const leases = new Map<string, Lease<Task, Answer>>();
  const answers = new Map<string, Answer & { readonly by: string }>();
  let victim: Lease<Task, Answer> | undefined;
  const crew = await openCrew(names, {
    library,
    onSaid(name, said) {
      const lease = said.kind === "ready" ? undefined : leases.get(`${said.id} ${said.fence}`);
      if (said.kind === "begun" && victim === undefined) {
        victim = lease;
        crew.kill(name);
        board.leave(name);
      }
      if (said.kind === "answered" && lease !== undefined) {
        const { id, answer } = said;
        void completeInTime(lease, answer).then((code) => {
          if (code === "accepted") answers.set(id, { ...answer, by: name });
          bell.ring();
        });
      }
    },
  });
  try {
    const startedAt = Date.now();
    while (board.left > 0 && Date.now() - startedAt < limitMs) {
      for (const lease of await board.assign()) {
        leases.set(`${lease.id} ${lease.fence}`, lease);
        crew.give(lease.by, { id: lease.id, fence: lease.fence, question: lease.task.question });
      }
      // Until somebody answers, or the lease of somebody who does not is over.
      await bell.wait(Math.max(1, (board.dueAt ?? Date.now()) - Date.now()));
    }
  } finally {
    crew.close();
  }
  // As if the dead agent had only been slow.
  const tooLate =
    victim === undefined ? "nobody was killed" : await completeInTime(victim, { quote: "too late", source: "" });
  return { answers, victim, tooLate };
}

/** An answer counts as long as nobody else has claimed its task. */
async function completeInTime(lease: Lease<Task, Answer>, answer: Answer): Promise<string> {
  try {
    await lease.complete(answer);
    return "accepted";
  } catch (error) {
    if (isTuttiError(error) && (error.code === "LEDGER_FENCED" || error.code === "RUN_OVER")) return error.code;
    throw error;
  }
}
