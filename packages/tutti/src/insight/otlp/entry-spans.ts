import { bodyOf, type EntryKind, type LedgerEntry } from "../../contracts/entry.ts";
import type { Confidence } from "../../contracts/outcome.ts";
import { toPolicyDecisions } from "../../contracts/policy-decision.ts";
import { toWaitName, waitPattern } from "../find-wait.ts";
import { cut, describeError, describeUsage, describeValue, toLink, type HeldValue } from "./attributes.ts";
import { names } from "./conventions.ts";
import { endStep } from "./end-step.ts";
import type { Reading, RunSpans } from "./run-spans.ts";
import type { Attributes, SpanLink, SpanRole } from "./span.ts";

/** What the next entry of a run adds to its spans. Kinds that have no reader are no part of a trace. */
export function readEntry(spans: RunSpans, entry: LedgerEntry): void {
  spans.seq = entry.seq;
  if (spans.isCopy(entry)) spans.copy(entry);
  else readKind(spans, entry, entry.kind);
}

// The type parameter ties the kind to its reader and its body.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the body sees the tie, the rule does not
function readKind<Kind extends EntryKind>(spans: RunSpans, entry: LedgerEntry, kind: Kind): void {
  const read: Readers[Kind] | undefined = readers[kind];
  read?.({ spans, entry, key: entry.key, at: entry.at, body: bodyOf(entry, kind) });
}

type Readers = { readonly [Kind in EntryKind]?: (reading: Reading<Kind>) => void };

const readers: Readers = {
  "run-started": ({ spans, at, body }) => {
    spans.started = { ...body, at };
  },
  "run-done": (reading) => {
    const { spans, body } = reading;
    const output = { value: body.out, ref: body.outRef };
    endRun(reading, {
      attributes: {
        "tutti.outcome": "done",
        ...describeValue("output", output, { shown: spans.shown, name: "tutti.output" }),
      },
      links: spans.linksTo(body.uses),
    });
  },
  "run-failed": (reading) => {
    const { error } = reading.body;
    endRun(reading, {
      attributes: { "tutti.outcome": "failed", ...describeError(error) },
      links: [],
      error: error.code,
    });
  },
  "run-cancelled": (reading) => endRun(reading, { attributes: { "tutti.outcome": "cancelled" }, links: [] }),

  "agent-started": ({ spans, key, at, body }) =>
    spans.begin(key, {
      role: isPlanner(body.agent) ? "plan" : "agent",
      about: body.agent,
      startMs: at,
      attributes: {
        [names.agent]: body.agent,
        [names.agentVersion]: body.version,
        ...(body.does === undefined ? {} : { [names.agentDescription]: cut(body.does) }),
        ...inputOf(spans, body),
      },
      links: spans.linksTo(body.uses),
    }),
  "scope-closed": (reading) => endScope(reading),

  "attempt-failed": ({ spans, key, at, body }) => {
    const failed = spans.failed.get(key) ?? [];
    failed.push({ ...body, at });
    spans.failed.set(key, failed);
  },
  "step-done": endStep,
  "step-failed": endStep,
  "effect-intended": (reading) => {
    markDecisions(reading);
    const { spans, key, at, body } = reading;
    spans.begin(key, {
      role: "tool",
      about: body.tool,
      startMs: at,
      attributes: {
        [names.tool]: body.tool,
        [names.toolType]: "function",
        "tutti.effect.key": body.effect,
        "tutti.effect.class": body.class,
        ...inputOf(spans, body, names.toolArguments),
      },
      links: spans.linksTo(body.uses),
    });
  },
  "effect-settled": endStep,
  "effect-failed": endStep,
  "effect-shared": ({ spans, key, at, body }) =>
    spans.emit({
      key,
      role: "tool",
      about: body.call ?? "",
      startMs: at,
      endMs: at,
      attributes: {
        ...(body.call === undefined ? {} : { [names.tool]: body.call }),
        [names.toolType]: "function",
        "tutti.effect.key": body.effect,
        "tutti.effect.shared": true,
      },
      links: [toLink("shared", body.from), ...spans.linksTo(body.uses)],
    }),
  "effect-undone": (reading) =>
    mark(reading, { role: "tool", about: "undo" }, { [names.tool]: "undo", "tutti.effect.key": reading.body.effect }),

  "timer-set": ({ spans, key, at, body }) =>
    spans.begin(key, {
      role: "wait",
      about: nameOf(key),
      startMs: at,
      attributes: { "tutti.wait.due_at": new Date(body.dueAt).toISOString() },
      links: [],
    }),
  "timer-fired": ({ spans, key, at }) => void spans.end(key, { endMs: at, attributes: { "tutti.outcome": "time" } }),
  "signal-received": ({ spans, at, body }) => {
    for (const [key, { role }] of spans.open) {
      if (role !== "wait" || waitPattern.exec(nameOf(key))?.groups?.["signal"] !== toWaitName(body.name)) continue;
      spans.end(key, { endMs: at, attributes: { "tutti.outcome": "signal" } });
      return;
    }
  },
  "child-started": ({ spans, key, at, body }) =>
    spans.begin(key, {
      role: "child",
      about: body.flow,
      startMs: at,
      attributes: { "tutti.child.run": body.child },
      links: [toLink("child", { run: body.child, step: "" }), ...spans.linksTo(body.uses)],
    }),
  "child-settled": ({ spans, key, at, body }) =>
    void spans.end(key, { endMs: at, attributes: describeError(body.error), error: body.error?.code }),

  "votes-counted": (reading) => {
    const { outcome, rule, votes, confidence } = reading.body;
    mark(
      reading,
      { role: "decision", about: nameOf(reading.key) },
      {
        "tutti.decision.rule": rule,
        "tutti.decision.outcome": outcome,
        "tutti.decision.agree": votes.filter(({ agrees }) => agrees).length,
        "tutti.decision.votes": votes.length,
        ...describeConfidence(confidence),
      },
    );
    judge(reading, confidence, reading.body.reason);
  },
  "decision-made": (reading) => {
    const { about, chosen, why, alternatives, confidence } = reading.body;
    mark(
      reading,
      { role: "decision", about: nameOf(reading.key) },
      {
        "tutti.decision.alternatives": alternatives?.length ?? 0,
        ...describeConfidence(confidence),
        ...(reading.spans.shown === "bodies"
          ? { "tutti.decision.about": cut(about), "tutti.decision.chosen": cut(chosen), "tutti.decision.why": cut(why) }
          : {}),
      },
    );
    judge(reading, confidence, why);
  },
  "message-sent": (reading) => {
    const { from, to, intent, bytes, readBy, inReplyTo } = reading.body;
    const ends = [readBy, inReplyTo].filter((step) => step !== undefined);
    const links = ends.map((step) => toLink("message", { run: reading.spans.run, step }));
    mark(
      reading,
      { role: "message", about: to, links },
      {
        "tutti.message.from": from,
        "tutti.message.to": to,
        "tutti.message.intent": intent,
        "tutti.message.bytes": bytes,
      },
    );
  },
  "policy-decided": (reading) => markDecisions(reading),
  "approval-voted": (reading) => markDecisions(reading),
  "approval-requested": ({ spans, key, at, body }) =>
    spans.begin(toApprovalKey(key, body.approval), {
      role: "approval",
      about: nameOf(key),
      startMs: at,
      attributes: { "tutti.step": key, "tutti.approval.id": body.approval },
      links: [],
    }),
  "approval-decided": ({ spans, key, at, body }) =>
    void spans.end(toApprovalKey(key, body.approval), { endMs: at, attributes: { "tutti.outcome": body.state } }),
  "directive-given": (reading) =>
    mark(reading, { role: "directive", about: "", part: `directive ${reading.entry.seq}` }, {}),
  "document-read": (reading) =>
    mark(
      reading,
      { role: "document", about: "read" },
      { "tutti.document": reading.body.document, "tutti.document.version": reading.body.version },
    ),
  "document-committed": (reading) =>
    mark(
      reading,
      { role: "document", about: "commit" },
      {
        "tutti.document.writes": reading.body.writes.map(({ document, version }) => `${document}@${version}`),
        ...describeError(reading.body.error),
      },
    ),
  "document-conflicted": (reading) =>
    mark(
      reading,
      { role: "document", about: "conflict", part: `conflict ${reading.entry.seq}` },
      {
        "tutti.document.stale": reading.body.stale.map(({ document }) => document),
        "tutti.document.next": reading.body.next,
      },
    ),
};

/** One step may ask more than once, and its own span comes afterwards. */
function toApprovalKey(step: string, approval: string): string {
  return `${step}\n${approval}`;
}

interface RunEnd {
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  readonly error?: string;
}

function endRun({ spans, at }: Pick<Reading<EntryKind>, "spans" | "at">, end: RunEnd): void {
  const { started } = spans;
  // What lost a race or was cancelled ends with the run. An effect or a child may still come to an end of its own.
  for (const [key, { role }] of Array.from(spans.open)) {
    if (role !== "tool" && role !== "child")
      spans.end(key, { endMs: at, attributes: { "tutti.outcome": "cancelled" } });
  }
  spans.isOver = true;
  const { parent, forkedFrom, tenant } = started ?? {};
  spans.emit({
    key: "",
    role: "run",
    about: started?.flow ?? "",
    startMs: started?.at ?? at,
    endMs: at,
    attributes: {
      [names.workflow]: started?.flow ?? "",
      "tutti.flow.version": started?.version ?? "",
      ...(tenant === undefined ? {} : { "tutti.tenant": tenant }),
      ...(started === undefined ? {} : inputOf(spans, started)),
      ...describeUsage(spans.usage),
      ...end.attributes,
    },
    links: [
      ...end.links,
      ...(parent === undefined ? [] : [toLink("child", parent)]),
      ...(forkedFrom === undefined ? [] : [toLink("fork", forkedFrom)]),
    ],
    error: end.error,
  });
}

function endScope({ spans, entry, key, at, body }: Reading<"scope-closed">): void {
  const end = {
    endMs: at,
    attributes: {
      ...describeUsage(body.usage),
      ...describeConfidence(body.confidence),
      ...describeError(body.error),
      ...describeValue("output", { value: body.out, ref: body.outRef }, { shown: spans.shown, name: "tutti.output" }),
    },
    links: [],
    error: body.error?.code,
  };
  if (spans.end(key, end) === undefined) spans.emit({ key, role: "scope", about: nameOf(key), startMs: at, ...end });
  if (body.confidence !== undefined) spans.judge(key, body.confidence, { ms: at, seq: entry.seq });
}

interface Moment {
  readonly role: SpanRole;
  readonly about: string;
  readonly part?: string;
  readonly links?: readonly SpanLink[];
}

/** A moment: something was said or decided, and took no time that is known. */
function mark({ spans, key, at }: Moments, moment: Moment, attributes: Attributes): void {
  spans.emit({ key, startMs: at, endMs: at, attributes, links: [], ...moment });
}

/** What a policy said, also where that stands in the intent or the vote that it allows. */
function markDecisions(reading: Moments): void {
  for (const [index, { policy, verdict, request }] of toPolicyDecisions(reading.entry).entries()) {
    mark(
      reading,
      { role: "policy", about: policy.name, part: `policy ${reading.entry.seq}${index === 0 ? "" : `.${index}`}` },
      {
        "tutti.policy.version": policy.version,
        "tutti.policy.verdict": verdict.kind,
        "tutti.policy.rules": verdict.rules,
        "tutti.policy.action": request.action,
        "tutti.policy.resource": request.resource.name,
      },
    );
  }
}

type Moments = Pick<Reading<EntryKind>, "spans" | "entry" | "key" | "at">;

/** On the span as well: not every receiver takes events. */
function describeConfidence(confidence: Confidence | undefined): Attributes {
  if (confidence === undefined) return {};
  return { "tutti.confidence": confidence.value, "tutti.confidence.source": confidence.source };
}

/** Reasons are words of people and models, so they leave only with the other values. */
function judge({ spans, entry, key, at }: Moments, confidence: Confidence | undefined, why?: string): void {
  if (confidence === undefined) return;
  spans.judge(key, confidence, {
    ms: at,
    seq: entry.seq,
    why: spans.shown === "bodies" && why !== undefined ? cut(why) : undefined,
  });
}

interface HasInput {
  readonly input?: unknown;
  readonly inputRef?: HeldValue["ref"];
}

function inputOf({ shown }: RunSpans, { input, inputRef }: HasInput, name = "tutti.input"): Attributes {
  return describeValue("input", { value: input, ref: inputRef }, { shown, name });
}

/** The last part of a path. */
function nameOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

/** `planner` is what a planner is called (teams/plan/planner.ts), and a supervisor's own is `<supervisor>.planner`. */
function isPlanner(agent: string): boolean {
  return agent === "planner" || agent.endsWith(".planner");
}
