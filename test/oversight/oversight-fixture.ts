import { z } from "zod";

import type { Policy } from "../../packages/tutti/src/contracts/policy.ts";
import type { Agent, Flow } from "../../packages/tutti/src/contracts/run.ts";
import type { PersonsVote } from "../../packages/tutti/src/engine/inbox.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { plainFlow } from "../engine/engine-fixture.ts";
import { Mail, type MailTool } from "../engine/world-fixture.ts";

/** Mails need a yes below level 4. */
export const trusting: Policy = {
  name: "trusting",
  version: "1",
  decide: ({ principal, action }) =>
    action === "approve" || (principal.kind === "agent" && principal.autonomy >= 4)
      ? { kind: "allow", rules: ["trusted"] }
      : {
          kind: "needs",
          rules: ["ask"],
          why: "not trusted yet",
          approvals: [{ count: 1, distinctFromInitiator: false }],
        },
};

/** An agent that sends one mail, without a model. */
export function toClerk(mail: MailTool, version = "1"): Agent<{ to: string; text?: string | undefined }> {
  return {
    kind: "agent",
    name: "clerk",
    version,
    does: "Sends mails.",
    input: Mail,
    output: z.unknown(),
    tools: [mail],
    act: async (run, input) => ({ output: await run.call(mail, input) }),
  };
}

/** One mail after the other; a mail that was refused is passed over. */
export function toMailing(clerk: Agent<{ to: string }>, names: readonly string[], name = "mailing"): Flow {
  return plainFlow(name, async (run) => {
    for (const to of names) await run.call(clerk, { to }).catch(() => undefined);
    return names.length;
  });
}

type Said = PersonsVote extends infer Vote ? (Vote extends PersonsVote ? Omit<Vote, "by" | "saw"> : never) : never;

/** Somebody says this to everything that a run asks, until it asks nothing more. */
export async function sayToAll(
  tutti: Tutti,
  run: string,
  said: (index: number) => { readonly by: string; readonly said: Said },
): Promise<void> {
  const handle = await tutti.open(run);
  for (let index = 0; (await handle.settled()).kind === "asking"; index++) {
    const approval = (await tutti.approvals.list()).find((each) => each.run === run);
    if (approval === undefined) return;
    const { by, said: word } = said(index);
    await tutti.approvals.decide(approval.id, { by, saw: approval.package, ...word });
  }
}

export function toNames(count: number, prefix = "n"): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
