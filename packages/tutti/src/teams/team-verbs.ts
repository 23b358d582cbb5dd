import type { TeamVerbs } from "../contracts/run.ts";
import { agreeOn } from "./agree.ts";
import { reviewWork } from "./review.ts";

/** The verbs of `run` that coordinate others: each is a scope, so that it replays as one record once it is over. */
export const teamVerbs: TeamVerbs = {
  agree: (run, ...[voters, input, options]) =>
    run.scope(options.name ?? "agree", async (inner) => (await agreeOn(inner, { voters, input, options })).agreement),
  review: (run, work, options) => run.scope(options.name ?? "review", (inner) => reviewWork(inner, work, options)),
};
