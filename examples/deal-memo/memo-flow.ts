import { flow, isTuttiError, type Flow } from "tutti";
import { z } from "zod";

import { narrator } from "./narrator.ts";
import { Filed, Remark } from "./shapes.ts";
import type { MemoTools } from "./tools.ts";

/** How often a memo is written and shown before the bank gives up. */
const roundsMax = 6;
/** What is told to the narrator, who may do better; any other fault ends the run. */
const remarkable = new Set(["MODEL_ANSWER_INVALID", "APPROVAL_REJECTED", "PRECONDITION_FAILED"]);

const Ending = z.object({ filed: Filed, remarks: z.array(Remark) });
export type Ending = z.infer<typeof Ending>;

/** One memo: gather, write, put the compliance language in, and file it, which the policy lets happen with a banker's yes only. */
export function toMemoFlow(
  { gather, file }: MemoTools,
  compliance: Readonly<Record<string, string[]>>,
): Flow<{ account: string }, Ending> {
  return flow({
    name: "deal-memo",
    does: "Writes a memorandum on an account and files it.",
    input: z.object({ account: z.string() }),
    output: Ending,
    run: async (run, { account }) => {
      const { company, jurisdiction, sources } = await run.call(gather, { account });
      const remarks: Ending["remarks"] = [];
      for (let round = 1; ; round++) {
        try {
          const { sentences } = await run.call(narrator, { company, sources, remarks }, { name: `write-${round}` });
          const memo = { account, sentences, compliance: compliance[jurisdiction] ?? [] };
          const filed = await run.call(file, memo, { name: `file-${round}` });
          return { filed, remarks };
        } catch (error) {
          if (!isTuttiError(error) || !remarkable.has(error.code) || round === roundsMax) throw error;
          run.note(`Round ${round}: ${error.message}`);
          remarks.push({ by: error.code === "APPROVAL_REJECTED" ? "banker" : "check", text: error.message });
        }
      }
    },
  });
}
