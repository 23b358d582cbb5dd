import { flow, signal, type Flow } from "tutti";
import { z } from "zod";

import { extractor } from "./extractor.ts";
import { Outcome, Rules } from "./shapes.ts";
import type { AccountTools } from "./tools.ts";
import { show, toReference, validate } from "./validate.ts";

/** A person's answer, sent with `tutti signal <run> approval '{"approved":true,"by":"…"}'`. */
export const approval = signal({ name: "approval", payload: z.object({ approved: z.boolean(), by: z.string() }) });

export const IntakeInput = z.object({ file: z.string(), text: z.string(), rules: Rules });

/** One invoice on its way, one stage after the other: extract, validate, approve, post. What is booked over budget is taken back. */
export function toIntake({ findBooking, readSpent, post }: AccountTools): Flow<z.infer<typeof IntakeInput>, Outcome> {
  return flow({
    name: "intake",
    does: "Takes an invoice in and books it.",
    input: IntakeInput,
    output: Outcome,
    onFailure: "undo",
    run: async (run, { file, text, rules }) => {
      const invoice = await run.call(extractor, { text });

      const reference = toReference(invoice);
      const { booking: booked } =
        reference === undefined ? { booking: null } : await run.call(findBooking, { reference });
      const validated = await run.step("validate", () => validate({ file, invoice, rules, booked }));
      if (validated.kind === "invalid") return { kind: "returned", problems: validated.problems };
      const { posting } = validated;

      let approvedBy: string | null = null;
      if (posting.amountCents > rules.approveAbove * 100) {
        run.note(`${show(posting.amountCents)} to ${posting.reference} needs a person's yes`);
        const { approved, by } = await run.wait(approval); // for days, if need be: a waiting run costs nothing
        if (!approved) return { kind: "refused", by };
        approvedBy = by;
      }

      const booking = await run.call(post, posting);
      const { spentCents } = await run.call(readSpent, { costCentre: posting.costCentre });
      if (spentCents > (rules.budgets[posting.costCentre] ?? 0) * 100)
        throw new Error(`with it, ${show(spentCents)} are spent on ${posting.costCentre}: over budget`);
      return { kind: "posted", booking, approvedBy };
    },
  });
}
