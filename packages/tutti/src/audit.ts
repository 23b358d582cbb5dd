/** What is signed about a ledger, where it is kept outside, and the evidence of a run. */
export type { Anchor } from "./audit/anchor-port.ts";
export { parseAnchor, readAnchor } from "./audit/anchor.ts";
export { toAuditFolder } from "./audit/audit-file.ts";
export type { Checkpoint, KeyNotice, ParsedNote } from "./audit/checkpoint.ts";
export { exportEvidence, type EvidenceRequest } from "./audit/export-evidence.ts";
export { keepCheckpoints, type KeepRequest, type KeptCheckpoints } from "./audit/keep-checkpoints.ts";
export { takeCheckpoint, type CheckpointRequest, type Checkpoints } from "./audit/take-checkpoint.ts";
export {
  readOwnNotes,
  verifyAudit,
  type AuditFinding,
  type AuditVerification,
  type NoteSource,
  type VerifiedLog,
} from "./audit/verify-audit.ts";
