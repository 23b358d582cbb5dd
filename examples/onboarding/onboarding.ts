import { flow, isTuttiError, subscription, topic, type Run, type Subscription, type Tool } from "tutti";
import { z } from "zod";

import { coach, greeter, profiler, SignUp } from "./agents.ts";
import type { Client } from "./client.ts";
import { toTools } from "./tools.ts";

/** Sign-ups come from a form, a queue and a webhook: the same one may come several times. */
export const signUps = topic({ name: "sign-ups", payload: SignUp, key: ({ email }) => email });

const Outcome = z.object({ profile: z.enum(["complete", "undone"]), mail: z.string(), task: z.string() });

/** Three agents see one sign-up. The profile is there as a whole or not at all; mail and task are done once, whatever happens to it. */
export function toOnboarding(client: Client): Subscription {
  const { saveRecord, sendMail, openTask } = toTools(client);
  const onboard = flow({
    name: "onboard",
    does: "Welcomes a new customer.",
    input: SignUp,
    output: Outcome,
    run: (run, signUp) =>
      run.all({
        async profile(branch) {
          const { records } = await branch.call(profiler, signUp);
          try {
            await branch.map(records, (each, record) => each.call(saveRecord, record), {
              name: "records",
              siblings: "undo",
            });
            return "complete" as const;
          } catch (error) {
            if (branch.signal.aborted) throw error;
            branch.note("The customer system refused a record; the others were taken back.");
            return "undone" as const;
          }
        },
        mail: async (branch) => insist(branch, sendMail, await branch.call(greeter, signUp)),
        task: async (branch) => insist(branch, openTask, await branch.call(coach, signUp)),
      }),
  });
  return subscription({ name: "onboard", topic: signUps, flow: onboard, from: "beginning", input: (signUp) => signUp });
}

const triesMax = 200;
const pauseMostMs = 100;

/** Asks again when it certainly was not done: a key whose effect failed is free. */
async function insist<Input>(run: Run, action: Tool<Input, { id: string }>, input: NoInfer<Input>): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return (await run.call(action, input)).id;
    } catch (error) {
      if (run.signal.aborted || tries === triesMax || (isTuttiError(error) && error.code === "EFFECT_CONFLICT"))
        throw error;
      await run.sleep(Math.min(10 * tries, pauseMostMs));
    }
  }
}
