/** The public surface of Tutti. Inside the package, import the file that owns a name. */
export { TuttiError, isTuttiError, type StoredError } from "./base/errors.ts";
export { errorCodes, type Disposition, type EffectKnowledge, type ErrorCode } from "./base/error-codes.ts";
export type { Clock } from "./base/clock.ts";
export type {
  Acceptance,
  Acted,
  ActHost,
  Contract,
  EffectClass,
  ModelAsker,
  Preview,
  PreviewHost,
  Retry,
  ToldPiece,
  Tool,
  ToolHost,
  ToolReport,
  UndoHost,
} from "./contracts/callable.ts";
export { toContract } from "./contracts/contract.ts";
export type { Figures, Guarantee, NeedHost, Precondition, Terms } from "./contracts/terms.ts";
export type { Agent, Callable, Flow } from "./contracts/run.ts";
export type { ApprovalPackage, Said } from "./contracts/approval-package.ts";
export type {
  ApprovalKind,
  ApprovalMatter,
  ApprovalLadder,
  ApprovalRecord,
  ApprovalStage,
  ApprovalState,
  Advice,
  ApproveOptions,
  AskOptions,
  Decided,
  LadderStage,
  Person as KnownPerson,
} from "./contracts/approval.ts";
export type { AutonomyEvidence, ReasonCode } from "./contracts/autonomy.ts";
export type { Precedent } from "./contracts/precedent.ts";
export type { NeededApprovals, Policy, PolicyRequest, PolicyVerdict } from "./contracts/policy.ts";
export type { AccountRecord, Amount, Budget } from "./contracts/budget.ts";
export type { Directed, Directive, DirectiveState, GivenDirective } from "./contracts/directive.ts";
export { toAgentId, type Capability, type CapabilityUse } from "./contracts/capability.ts";
export type { Freeze, FreezeTarget } from "./contracts/freeze.ts";
export type { Permissions, RunPermissions } from "./contracts/grant.ts";
export type { BodyOf, EntryKind, LedgerEntry, RecordKind } from "./contracts/entry.ts";
export { bodyOf } from "./contracts/entry.ts";
export {
  toEffectKey,
  toRunId,
  toStepKey,
  type ApprovalId,
  type EffectKey,
  type RunId,
  type StepKey,
} from "./contracts/ids.ts";
export type {
  ConflictPolicy,
  DocumentHandle,
  DocumentState,
  DocumentType,
  DocumentVersion,
  Refreshed,
} from "./contracts/document.ts";
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
  WorstCase,
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
  AgreementRule,
  AgreeOptions,
  CallOptions,
  ChildRun,
  FanOut,
  Joined,
  Need,
  ReviewOptions,
  Run,
  Siblings,
  SignalOf,
  SignalType,
  StepHost,
  StepOptions,
  Voter,
  Voters,
  Transaction,
} from "./contracts/run.ts";
export type { EffectRecord, EffectState, Priority, RunRecord, RunStatus } from "./contracts/run-record.ts";
export type { Published, Topic, TopicEvent } from "./contracts/topic.ts";
export type { Schema } from "./contracts/schema.ts";
export type { Secret } from "./contracts/secret.ts";
export type {
  Agreement,
  Candidate,
  FieldRule,
  FieldValue,
  JudgedQuestion,
  Judgement,
  OtherAnswer,
  Reviewed,
  ReviewVerdict,
  SilentVoter,
  Split,
  Vote,
} from "./contracts/agreement.ts";
export type { ToolServer } from "./contracts/tool-server.ts";
export { openTutti } from "./engine/load-engine.ts";
export type {
  AutonomyDesk,
  AutonomyLine,
  CapRequest,
  GrantRequest,
  Overrides,
  WithdrawRequest,
} from "./engine/oversight/oversight.ts";
export type { ReviewReport, Reviews, SampleRequest } from "./engine/oversight/reviews.ts";
export type { Override } from "./insight/oversight/overrides.ts";
export type { Approvals, PersonsVote, ShownApproval } from "./engine/inbox.ts";
export type {
  Activity,
  PassingActivity,
  ForkEdit,
  RunHandle,
  RunState,
  StartOptions,
  Tutti,
  TuttiConfig,
  TuttiOptions,
  Verdict,
} from "./engine/tutti.ts";
export {
  subscription,
  type Collect,
  type CollectedReaction,
  type SingleReaction,
  type Subscription,
} from "./engine/events/subscription.ts";
export type { Person } from "./engine/freezes.ts";
export type { Identity } from "./engine/open-identity.ts";
export type { Events, SubscriptionStatus } from "./engine/events/events.ts";
export type { Schedules, ScheduleStatus } from "./engine/schedules/schedules.ts";
export {
  schedule,
  type DueTime,
  type Missed,
  type Overlap,
  type Schedule,
  type ScheduleDefinition,
} from "./engine/schedules/schedule.ts";
export type { TelemetryOptions } from "./engine/telemetry/open-telemetry.ts";
export type { OtlpOptions } from "./engine/telemetry/otlp-target.ts";
export type { AlertOptions, AlertRules } from "./engine/telemetry/alert-options.ts";
export { topic } from "./flow/topic.ts";
export { document, type DocumentDefinition } from "./flow/document.ts";
export { documentTools, type DocumentTools } from "./flow/document-tools.ts";
export { flow, signal, type FlowDefinition } from "./flow/flow.ts";
export type { AccountFilter, ApprovalFilter, Durability, Ledger, RunFilter } from "./ledger/ledger.ts";
export { agent } from "./agents/agent.ts";
export type { AgentDefinition } from "./agents/agent-definition.ts";
export type { Compaction } from "./agents/compaction.ts";
export type { CoordinationRules } from "./agents/coordination.ts";
export type { BudgetLeft, StepDown } from "./agents/step-down.ts";
export type { Breaker, Limits, LimitTable, Rate } from "./limits/limit.ts";
export type { SlotUse, Waiting } from "./limits/slot-use.ts";
export { systemClock } from "./base/clock.ts";
export { withFailover, type FailoverDefinition } from "./tools/failover.ts";
export type { Provider } from "./tools/provider.ts";
export { registry, type RankedTool, type Registry } from "./tools/registry/registry.ts";
export { secret, type SecretDefinition, type SecretSource } from "./tools/secret.ts";
export { tool, type ToolDefinition } from "./tools/tool.ts";
