import { agent, flow, signal, type Agent, type Flow, type Model } from "tutti";
import { rule, ruleModel } from "tutti/models";
import { z } from "zod";

import { Clause, labelled, latest, literal, Terms, type Reader } from "./readers.ts";

const Contract = z.object({ text: z.string() });
const readers: Readonly<Record<string, Reader>> = { literal, latest, labelled };

/** Three models of different makes: they read the same text, and make different mistakes. */
export const models: Readonly<Record<string, Model>> = {
  ...Object.fromEntries(
    Object.entries(readers).map(([name, reader]) => [
      name,
      ruleModel(
        {
          [`terms-${name}`]: rule(Contract, ({ text }) => reader.terms(text)),
          [`clause-${name}`]: rule(Contract, ({ text }) => reader.clause(text)),
        },
        { id: `${name}-1` },
      ),
    ]),
  ),
  judging: ruleModel(
    {
      judge: rule(z.object({ candidates: z.array(z.object({ id: z.string(), answer: Clause })) }), ({ candidates }) => {
        const replacing = candidates.find(({ answer }) => /replaced/u.test(answer.quote));
        const [first] = candidates;
        return replacing === undefined
          ? { choice: first?.id, reason: "Nothing replaces it." }
          : { choice: replacing.id, reason: "It says itself that it replaces the other." };
      }),
    },
    { id: "judge-1" },
  ),
};

const termsReaders = Object.keys(readers).map((name) => toExtractor(`terms-${name}`, { model: name, output: Terms }));
const clauseReaders = Object.keys(readers).map((name) =>
  toExtractor(`clause-${name}`, { model: name, output: Clause }),
);

function toExtractor<Output>(
  name: string,
  { model, output }: { readonly model: string; readonly output: z.ZodType<Output> },
): Agent<{ text: string }, Output> {
  return agent({
    name,
    does: "Reads a contract.",
    model,
    input: Contract,
    output,
    instructions: "State what the contract says. Do not complete what it leaves out.",
  });
}

const judge = agent({
  name: "judge",
  does: "Says which of several sentences governs how a contract ends.",
  model: "judging",
  input: z.object({
    question: Contract,
    candidates: z.array(z.object({ id: z.string(), answer: Clause, reasons: z.array(z.string()) })),
  }),
  output: z.object({ choice: z.string(), reason: z.string() }),
  instructions: "What replaces something counts before what is replaced.",
});

/** What a clerk says where the readers can't agree. */
export const ClerksWord = z.object({ monthlyFeeEur: z.number(), by: z.string(), why: z.string() });
export const clerkDecides = signal({ name: "clerk-decides", payload: ClerksWord });

export const Extracted = z.object({
  terms: Terms,
  confidence: z.number(),
  /** What was not followed: field, value, and who said so. */
  dissent: z.array(z.object({ field: z.string(), value: z.unknown(), voter: z.string() })),
  clause: z.string(),
  clauseWhy: z.string(),
});
export type Extracted = z.infer<typeof Extracted>;

/** Field by field, the majority of three readers counts; what has none goes to a clerk, and the run waits. The clause is chosen by a judge. */
export const extraction: Flow<{ text: string }, Extracted> = flow({
  name: "extraction",
  input: Contract,
  output: Extracted,
  async run(run, contract) {
    const agreed = await run.agree(termsReaders, contract, {
      name: "terms",
      by: { kind: "merge" },
      async onSplit(branch, { votes }) {
        const { monthlyFeeEur } = await branch.wait(clerkDecides);
        const [first] = votes;
        if (first === undefined) throw new Error("nobody has read the contract");
        return { ...first.answer, monthlyFeeEur };
      },
    });
    const clause = await run.agree(clauseReaders, contract, {
      name: "clause",
      by: { kind: "judge", judge },
      same: (left, right) => left.quote === right.quote,
    });
    return {
      terms: agreed.value,
      confidence: agreed.confidence.value,
      dissent: agreed.votes.flatMap(({ voter, answer }) => toDissent(voter, { answer, value: agreed.value })),
      clause: clause.value.quote,
      clauseWhy: clause.reason ?? "all say so",
    };
  },
});

function toDissent(
  voter: string,
  { answer, value }: { readonly answer: Terms; readonly value: Terms },
): Extracted["dissent"] {
  const fields = Terms.keyof().options;
  return fields
    .filter((field) => answer[field] !== value[field])
    .map((field) => ({ field, value: answer[field], voter }));
}
