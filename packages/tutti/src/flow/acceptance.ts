import { isTuttiError } from "../base/errors.ts";
import type { Acceptance } from "../contracts/callable.ts";
import type { Agent, Run } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import { findBreach, toBreachError } from "./conditions.ts";
import { conditionLimits } from "./in-time.ts";

/** The one place where an agent's outputs are looked at, whoever asks: the agent itself before it answers, or the engine after. */
export interface Acceptor {
  accept(output: unknown): Promise<Acceptance>;
  /** What is handed over. An output that was accepted before is not parsed again: a schema may change what it parses, and only once. @throws OUTPUT_INVALID */
  settle(output: unknown): Promise<unknown>;
}

const nothing = Symbol("nothing accepted");

/** Guarantees are asked in a step of the agent's run, so that their answers, and how they came about, are the same on replay. */
export function openAcceptor(agent: Agent, input: unknown, run: Run): Acceptor {
  const guarantees = agent.ensures ?? [];
  let accepted: unknown = nothing;
  const findRecordedBreach = async (output: unknown): Promise<string | undefined> => {
    if (guarantees.length === 0) return undefined;
    const asked = guarantees.map((guarantee) => guarantee.name);
    const ask = async (): Promise<{ readonly asked: readonly string[]; readonly breach?: string }> => {
      const found = await findBreach(guarantees, output, input);
      return { asked, ...(found === undefined ? {} : { breach: found }) };
    };
    const { breach } = await run.step("ensures", ask, conditionLimits);
    return breach;
  };
  return {
    async accept(output) {
      const parsed = await findParsed(agent, output);
      if (parsed.kind === "unfit") return parsed;
      const breach = await findRecordedBreach(parsed.output);
      if (breach !== undefined) return { kind: "unfit", problem: breach };
      accepted = parsed.output;
      return { ...parsed, guarantees: guarantees.length };
    },
    async settle(output) {
      if (Object.is(output, accepted)) return output;
      const parsed = await parseWith(agent.output, output, {
        code: "OUTPUT_INVALID",
        what: `the output of ${agent.name}`,
      });
      const breach = await findRecordedBreach(parsed);
      if (breach !== undefined) throw toBreachError(agent.name, breach);
      return parsed;
    },
  };
}

type Parsed =
  | { readonly kind: "fits"; readonly output: unknown }
  | { readonly kind: "unfit"; readonly problem: string };

async function findParsed(agent: Agent, output: unknown): Promise<Parsed> {
  try {
    return {
      kind: "fits",
      output: await parseWith(agent.output, output, { code: "OUTPUT_INVALID", what: "the answer" }),
    };
  } catch (error) {
    if (isTuttiError(error) && error.code === "OUTPUT_INVALID") return { kind: "unfit", problem: error.message };
    throw error;
  }
}
