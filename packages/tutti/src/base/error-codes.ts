/** What the engine does next when it meets an error. Code decides by this, never by a message. */
export type Disposition = "retry" | "tell-model" | "ask-person" | "give-up" | "bug";

/** Whether the failed action changed the world: certainly not, certainly, or nobody knows. */
export type EffectKnowledge = "none" | "done" | "unknown";

interface CodeFacts {
  readonly disposition: Disposition;
  readonly effect: EffectKnowledge;
  /** One sentence for the page of errors. */
  readonly means: string;
}

const code = (disposition: Disposition, effect: EffectKnowledge, means: string): CodeFacts => ({
  disposition,
  effect,
  means,
});

/** The closed vocabulary of everything that can go wrong. `docs/errors.md` is generated from it. */
export const errorCodes = {
  // input and definitions
  INPUT_INVALID: code("give-up", "none", "An input does not fit the schema that its receiver declares."),
  OUTPUT_INVALID: code(
    "give-up",
    "done",
    "A callable finished, and its output does not fit its own schema or breaks one of its guarantees.",
  ),
  PRECONDITION_FAILED: code(
    "tell-model",
    "none",
    "Something that a callable needs does not hold, or can't be told; it was not called.",
  ),
  VALUE_NOT_STORABLE: code(
    "give-up",
    "done",
    "A value can't be written to the ledger: a function, a cycle, a bigint or a symbol.",
  ),
  DEFINITION_INVALID: code("give-up", "none", "A flow, tool or agent was declared in a way that can't work."),
  FLOW_UNKNOWN: code(
    "ask-person",
    "none",
    "The ledger names a flow, or a version of it, that this process was not given.",
  ),
  FLOW_FILE_INVALID: code(
    "give-up",
    "none",
    "A file with flows can't be loaded, holds no flow, or holds two of one name.",
  ),
  CONFIG_INVALID: code(
    "give-up",
    "none",
    "The project's tutti.config file can't be loaded, or holds something else than a configuration.",
  ),
  POLICY_INVALID: code(
    "give-up",
    "none",
    "The text of a policy can't be read, or a rule in it does not fit the schema.",
  ),
  USAGE: code("give-up", "none", "A command was called in a way that it does not understand."),
  // runs
  RUN_UNKNOWN: code("give-up", "none", "No run with this id is in the ledger."),
  RUN_CANCELLED: code("give-up", "none", "The run, or this branch of it, was cancelled."),
  RUN_OVER: code("give-up", "none", "The run has ended; nothing can be added to it."),
  RUN_WAITS: code(
    "ask-person",
    "none",
    "The run waits for a person, a signal or a later time, and the caller did not want to wait.",
  ),
  FLOW_DIVERGED: code("bug", "none", "The flow's code asks for other steps than the ledger recorded."),
  FLOW_NONDURABLE_AWAIT: code(
    "bug",
    "none",
    "The flow awaited something that the ledger does not know, so it could not be replayed.",
  ),
  FLOW_STALLED: code("bug", "none", "The flow neither ends nor waits for anything that Tutti knows."),
  FLOW_ENDED: code("bug", "none", "A flow or scope called a step after it had ended."),
  // steps
  STEP_FAILED: code("give-up", "unknown", "A step threw something that is not a TuttiError."),
  STEP_TIMEOUT: code("retry", "unknown", "A step took longer than its declared limit."),
  BRANCHES_FAILED: code("give-up", "none", "Too few branches of a fan-out succeeded for its declared policy."),
  // teams
  AGREEMENT_SPLIT: code(
    "ask-person",
    "none",
    "Several answers were to become one, and the declared rule could not decide.",
  ),
  REVIEW_REJECTED: code("ask-person", "none", "A reviewer did not accept a work after the rounds that were allowed."),
  HAND_OFF_LOOP: code(
    "ask-person",
    "none",
    "Peers hand a task to each other without learning anything new, or too often; it was stopped.",
  ),
  ROUTE_MISSING: code("ask-person", "none", "None of the candidates can take a task."),
  PLAN_INVALID: code(
    "tell-model",
    "none",
    "A plan can't be run: its form, a reference, a callable, a type or a limit.",
  ),
  PLAN_FAILED: code(
    "give-up",
    "unknown",
    "A plan was run and did not reach its end; what was done stays unless it was undone.",
  ),
  // effects
  EFFECT_CONFLICT: code("ask-person", "none", "The same effect key was already used for different content."),
  EFFECT_UNKNOWN: code("give-up", "none", "No effect with this key is in the ledger, or it is not in doubt."),
  DOCUMENT_CONFLICT: code(
    "tell-model",
    "none",
    "A document that was read has a newer version, so nothing was written or done on the old one.",
  ),
  DIRECTIVE_CHANGED: code(
    "tell-model",
    "none",
    "A person gave the run another directive, so nothing was done under the old one.",
  ),
  UNDO_IMPOSSIBLE: code(
    "ask-person",
    "done",
    "An effect has to be undone, and its undo failed or is not known to this process.",
  ),
  TOOL_FAILED: code("tell-model", "none", "A tool could not do what it was asked, and changed nothing."),
  TOOL_UNAVAILABLE: code("retry", "none", "A tool is out of reach for now, and changed nothing."),
  TOOL_RATE_LIMITED: code("retry", "none", "A tool's provider asks to wait."),
  TOOL_REFUSED: code(
    "give-up",
    "none",
    "A tool's provider rejected the request: a wrong key, no access, a used-up quota, or a request it can't take.",
  ),
  TOOL_BLOCKED: code("tell-model", "none", "A tool's provider declines this content."),
  TOOL_EMPTY: code("tell-model", "none", "A tool found nothing, and so did everything that it could fall back on."),
  TOOL_INTERRUPTED: code(
    "retry",
    "unknown",
    "A tool's provider was asked, and the connection broke or the time was over before it answered.",
  ),
  TOOL_ANSWER_INVALID: code("give-up", "unknown", "A tool's provider answered with something that can't be read."),
  TOOL_QUARANTINED: code(
    "ask-person",
    "none",
    "A server offers a tool that is new or has changed since a person accepted its tools.",
  ),
  // models
  MODEL_UNKNOWN: code("give-up", "none", "No model is configured under this tier."),
  MODEL_REFUSED: code(
    "give-up",
    "none",
    "The provider rejected the request: a wrong key, no access, or a request it can't take.",
  ),
  MODEL_RATE_LIMITED: code("retry", "none", "The provider asks to wait."),
  MODEL_UNAVAILABLE: code("retry", "none", "The provider did not answer, or answered with a fault of its own."),
  MODEL_ANSWER_INVALID: code(
    "give-up",
    "none",
    "No answer of the model can be used, after the repairs that the agent allows.",
  ),
  AGENT_LIMIT: code(
    "give-up",
    "none",
    "An agent used up its turns, tokens, time or money without an answer, or made the same call over and over.",
  ),
  MODEL_FORBIDDEN: code("give-up", "none", "Models beyond this machine are forbidden in this process."),
  // people
  AUTONOMY_SHADOW: code(
    "tell-model",
    "none",
    "An agent that may do nothing by itself wanted to change something; it is recorded what it would have done.",
  ),
  POLICY_DENIED: code("tell-model", "none", "The policy does not allow an action, so it was not done."),
  APPROVAL_REJECTED: code("tell-model", "none", "A person said no to an action, and why; it was not done."),
  APPROVAL_EXPIRED: code("tell-model", "none", "Nobody decided in time, so the action was not done."),
  APPROVAL_STALE: code("ask-person", "none", "A decision was made on what has changed since, so it does not count."),
  APPROVAL_DECIDED: code("give-up", "none", "It is decided already, or was withdrawn; this vote does not count."),
  APPROVAL_FORBIDDEN: code("give-up", "none", "This person may not decide this, or not in this way."),
  APPROVAL_UNKNOWN: code("give-up", "none", "No approval with this id is in the ledger."),
  APPROVERS_MISSING: code("ask-person", "none", "An action needs the yes of people whom the engine does not know."),
  // identity
  GRANT_EXCEEDED: code(
    "tell-model",
    "none",
    "An agent or a run wanted to do what its grant does not allow, or for whom it may not act; it was not done.",
  ),
  CAPABILITY_INVALID: code(
    "give-up",
    "none",
    "A capability is not one, was changed, or was signed by somebody who is not trusted.",
  ),
  CAPABILITY_EXPIRED: code("give-up", "none", "A capability is too old, or counts only later."),
  CAPABILITY_MISPLACED: code(
    "give-up",
    "none",
    "A capability is for another tool, another action or another person than it was shown for.",
  ),
  CAPABILITY_USED: code("give-up", "none", "A capability was used already, or what it is for is done."),
  CAPABILITY_REVOKED: code(
    "give-up",
    "none",
    "Whoever holds a capability may not use it any more: frozen, or its run has ended.",
  ),
  // secrets
  SECRET_MISSING: code("give-up", "none", "A secret has no value: its variable is not set, or its source gives none."),
  SECRET_MISPLACED: code(
    "give-up",
    "none",
    "A secret was to be sent to a host that it is not meant for, or in clear text.",
  ),
  SECRET_EXPOSED: code(
    "give-up",
    "none",
    "The value of a secret stood in something that was to be stored or shown to a model; it was stopped before.",
  ),
  // limits
  BUDGET_SPENT: code("give-up", "none", "A call could exceed a budget, so it was not made."),
  RETRIES_SPENT: code(
    "give-up",
    "none",
    "Too many calls of late were repetitions, so this one is not repeated: it failed before.",
  ),
  // ledger
  LEDGER_BUSY: code("give-up", "none", "Another process holds this ledger."),
  LEDGER_FENCED: code("give-up", "none", "Another driver claimed the run; this one may not write any more."),
  LEDGER_CORRUPT: code("bug", "none", "Stored entries are damaged, incomplete or were changed by hand."),
  LEDGER_TOO_NEW: code("give-up", "none", "The ledger was written by a newer Tutti."),
  LEDGER_UNWRITABLE: code(
    "give-up",
    "none",
    "The ledger's folder or file can't be written: missing, read-only or not a ledger.",
  ),
  LEDGER_STOPPED: code(
    "bug",
    "unknown",
    "The disk refused to keep what was written; the engine stopped before it acknowledged anything.",
  ),
  LEDGER_CLOSED: code("give-up", "none", "The ledger or engine was closed."),
  ANCHOR_FAILED: code(
    "retry",
    "none",
    "A place outside that keeps signed checkpoints can't be reached, read or written.",
  ),
  DATA_ERASED: code(
    "give-up",
    "none",
    "The data of this run was erased: the key of the person whom it is about was destroyed.",
  ),
  ENGINE_UNREACHABLE: code(
    "retry",
    "none",
    "A running engine holds the ledger but does not answer on its control endpoint.",
  ),
  // events
  EVENT_INVALID: code("give-up", "none", "Something that came in from outside can't be read as an event."),
  EVENT_UNTRUSTED: code("give-up", "none", "An event from outside carries no valid signature."),
  EVENT_UNUSABLE: code(
    "ask-person",
    "none",
    "A subscription's filter or mapping threw for an event, or a schedule's input did for a due time.",
  ),
  EVENT_UNKNOWN: code("give-up", "none", "No topic, subscription, schedule or parked event of this name is here."),
  // server
  CALLER_UNKNOWN: code("give-up", "none", "A request brought no token, or one that is wrong, revoked or too old."),
  ISSUER_UNREACHABLE: code(
    "retry",
    "none",
    "The service that signs people in can't be asked for its keys, so its tokens can't be checked.",
  ),
  CALLER_REFUSED: code(
    "give-up",
    "none",
    "Who asks may not do this, or asks from a page or for a host that is not trusted.",
  ),
  CALLER_TOO_FAST: code("retry", "none", "A caller asks too often, or holds too many streams."),
  SERVER_DRAINING: code("retry", "none", "The server is about to end and takes no new work."),
  // environment
  SOURCE_UNREADABLE: code("give-up", "none", "A file or folder can't be read."),
  NODE_TOO_OLD: code("give-up", "none", "This Node is too old for Tutti."),
  BUG: code("bug", "unknown", "Tutti broke one of its own promises. Please report it."),
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}
