import {
  autonomyDefault,
  toAgentId,
  type AgentVersion,
  type AutonomyProposal,
  type Certificate,
} from "../../contracts/autonomy.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";

/** What people have granted, as the journal of certificates says. */
export interface Certificates {
  /** By agent and kind of action. */
  readonly byAgent: Map<string, Map<string, Certificate>>;
  readonly capByTenant: Map<string, number>;
  /** Proposals that wait for a person, by approval. */
  readonly proposed: Map<string, AutonomyProposal>;
  /** The last entry that was taken in. */
  seq: number;
}

export function emptyCertificates(): Certificates {
  return { byAgent: new Map(), capByTenant: new Map(), proposed: new Map(), seq: 0 };
}

export function applyToCertificates(state: Certificates, entry: LedgerEntry): void {
  if (entry.seq <= state.seq) return;
  state.seq = entry.seq;
  const { kind, lsn } = entry;
  switch (kind) {
    case "autonomy-granted": {
      const { agent, version, action, level, until } = bodyOf(entry, kind);
      put(state, { name: agent, version }, { action, level, until, lsn });
      return;
    }
    case "autonomy-withdrawn": {
      const { agent, version, action, level } = bodyOf(entry, kind);
      const until = state.byAgent.get(toAgentId({ name: agent, version }))?.get(action)?.until;
      // What is left of a certificate ends when it would have ended; what has ended leaves nothing that could end.
      const ends = level <= autonomyDefault ? undefined : until;
      put(state, { name: agent, version }, { action, level, until: ends, lsn });
      return;
    }
    case "autonomy-capped": {
      const { tenant, level } = bodyOf(entry, kind);
      state.capByTenant.set(tenant, level);
      return;
    }
    case "autonomy-proposed": {
      const { approval, ...proposal } = bodyOf(entry, kind);
      state.proposed.set(approval, proposal);
      return;
    }
    case "approval-decided": {
      const { approval, state: ended } = bodyOf(entry, kind);
      const proposal = state.proposed.get(approval);
      state.proposed.delete(approval);
      if (proposal === undefined || ended !== "granted") return;
      const { agent, version, action, level } = proposal;
      put(state, { name: agent, version }, { action, level, until: undefined, lsn });
      return;
    }
    default:
  }
}

function put({ byAgent }: Certificates, agent: AgentVersion, certificate: Certificate): void {
  const id = toAgentId(agent);
  const certificates = byAgent.get(id) ?? new Map<string, Certificate>();
  byAgent.set(id, certificates.set(certificate.action, certificate));
}
