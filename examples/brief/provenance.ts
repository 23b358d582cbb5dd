import { bodyOf, type LedgerEntry } from "tutti";
import { z } from "zod";

/** Where a page comes from, read from the run's ledger. */
export interface Provenance {
  readonly agents: readonly { readonly name: string; readonly version: string; readonly calls: number }[];
  readonly models: readonly string[];
  readonly steps: number;
  readonly modelCalls: number;
  readonly tokens: number;
  readonly costUsd: number;
}

const ModelReply = z.object({ model: z.string() });

export function toProvenance(entries: readonly LedgerEntry[]): Provenance {
  const agents = new Map<string, { name: string; version: string; calls: number }>();
  const models = new Set<string>();
  const totals = { steps: 0, modelCalls: 0, tokens: 0, costUsd: 0 };
  for (const entry of entries) {
    if (entry.kind === "step-done" || entry.kind === "effect-settled") totals.steps += 1;
    if (entry.kind === "agent-started") {
      const { agent: name, version } = bodyOf(entry, "agent-started");
      const known = agents.get(`${name}@${version}`) ?? { name, version, calls: 0 };
      agents.set(`${name}@${version}`, { ...known, calls: known.calls + 1 });
    }
    if (entry.kind === "step-done" && /\/model(?:#\d+)?$/.test(entry.key)) {
      const reply = ModelReply.safeParse(bodyOf(entry, "step-done").out);
      if (reply.success) models.add(reply.data.model);
    }
    if (entry.kind === "scope-closed") {
      const { usage } = bodyOf(entry, "scope-closed");
      totals.modelCalls += usage?.modelCalls ?? 0;
      totals.tokens += (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);
      totals.costUsd += usage?.costUsd ?? 0;
    }
  }
  return { agents: [...agents.values()], models: [...models], ...totals };
}
