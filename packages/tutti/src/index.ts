/** The public surface of Tutti. Inside the package, import the file that owns a name. */
export { TuttiError, isTuttiError, type StoredError } from "./base/errors.ts";
export { errorCodes, type Disposition, type EffectKnowledge, type ErrorCode } from "./base/error-codes.ts";
export type { Clock } from "./base/clock.ts";
export type { Acted, ActHost, EffectClass, Retry, Tool, ToolHost } from "./contracts/callable.ts";
export type { Agent, Callable, Flow } from "./contracts/run.ts";
export type { BodyOf, EntryKind, LedgerEntry } from "./contracts/entry.ts";
export { bodyOf } from "./contracts/entry.ts";
export { toEffectKey, toRunId, toStepKey, type EffectKey, type RunId, type StepKey } from "./contracts/ids.ts";
export type {
  ConflictPolicy,
  DocumentHandle,
  DocumentState,
  DocumentType,
  DocumentVersion,
  Refreshed,
} from "./contracts/document.ts";
export type { TuttiConfig } from "./contracts/config.ts";
export type {
  Model,
  ModelDelta,
  ModelHints,
  ModelMessage,
  ModelReply,
  ModelRequest,
  ModelTool,
  PassedOver,
  ToolCall,
} from "./contracts/model.ts";
export {
  addUsage,
  noUsage,
  type Confidence,
  type Evidence,
  type Outcome,
  type Result,
  type Usage,
} from "./contracts/outcome.ts";
export type {
  CallOptions,
  ChildRun,
  FanOut,
  Joined,
  Need,
  Run,
  Siblings,
  SignalOf,
  SignalType,
  StepHost,
  StepOptions,
  Transaction,
} from "./contracts/run.ts";
export type { EffectRecord, EffectState, RunRecord, RunStatus } from "./contracts/run-record.ts";
export type { Schema } from "./contracts/schema.ts";
export { openTutti } from "./engine/open-tutti.ts";
export type {
  Activity,
  ForkEdit,
  RunHandle,
  RunState,
  StartOptions,
  Tutti,
  TuttiOptions,
  Verdict,
} from "./engine/tutti.ts";
export { document, type DocumentDefinition } from "./flow/document.ts";
export { documentTools, type DocumentTools } from "./flow/document-tools.ts";
export { flow, signal, type FlowDefinition } from "./flow/flow.ts";
export type { Durability, Ledger, RunFilter } from "./ledger/ledger.ts";
export { agent, type AgentDefinition } from "./agents/agent.ts";
export { systemClock } from "./base/clock.ts";
export type { Provider } from "./tools/provider.ts";
export { tool, type ToolDefinition } from "./tools/tool.ts";
