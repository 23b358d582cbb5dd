import { toAgentPath } from "../contracts/capability.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { describePart, type GrantPart } from "../contracts/grant.ts";

/** For whom a run acted, through whom, and what limited them. */
export interface Acting {
  /** The person who started it, where somebody said so. */
  readonly actsFor: string | undefined;
  /** The agents that handed it on to this run, the first first: identifiers without their trust domain. */
  readonly through: readonly string[];
  /** The agents that worked in it. */
  readonly agents: readonly string[];
  /** What each grant allows, in words. */
  readonly grants: readonly string[];
}

const agentsMax = 50;

/** Who acted in a run, by its entries. Of many agents the first 50. */
export function toActing(entries: readonly LedgerEntry[]): Acting {
  const [first] = entries;
  const started = first?.kind === "run-started" ? bodyOf(first, first.kind) : undefined;
  const parts: GrantPart[] = [...(started?.grant?.parts ?? [])];
  const agents = new Set<string>();
  for (const entry of entries) {
    if (entry.kind !== "agent-started" || agents.size >= agentsMax) continue;
    const { agent, version, permissions } = bodyOf(entry, entry.kind);
    const path = toAgentPath(`${agent}@${version}`);
    if (permissions !== undefined && !agents.has(path))
      parts.push({ of: `${entry.run}/agent/${agent}`, ...permissions });
    agents.add(path);
  }
  return {
    actsFor: started?.by,
    through: (started?.grant?.actors ?? []).map(toAgentPath),
    agents: [...agents],
    grants: parts.map(describePart),
  };
}
