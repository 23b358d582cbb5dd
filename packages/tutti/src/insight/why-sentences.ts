import type { StoredError } from "../base/errors.ts";
import type { ToolReport } from "../contracts/callable.ts";
import { describeDirective } from "../contracts/directive.ts";
import { bodyOf, type BodyOf, type EntryKind, type LedgerEntry } from "../contracts/entry.ts";
import { toPolicyDecisions, type PolicyDecision } from "../contracts/policy-decision.ts";
import { describeDecided, describeDecision, describeMessage, describeVotes } from "./describe-record.ts";
import { describeReply, findModelReply } from "./model-reply.ts";
import { toByteText, toPreview } from "./preview.ts";
import type { Telling } from "./why-facts.ts";

const outcomeKinds: ReadonlySet<EntryKind> = new Set([
  "step-done",
  "step-failed",
  "effect-settled",
  "effect-failed",
  "effect-shared",
  "effect-undone",
  "timer-fired",
  "scope-closed",
  "child-settled",
  "document-read",
  "document-committed",
  "document-conflicted",
]);

/** How a run ended, or that it has not. */
export function tellRun(started: BodyOf<"run-started">, end: LedgerEntry | undefined): string {
  const who = `The run of ${started.flow} (version ${started.version})`;
  switch (end?.kind) {
    case "run-done": {
      const { out, outRef } = bodyOf(end, end.kind);
      return `${who} is done: ${outRef === undefined ? toPreview(out) : `a value of ${toByteText(outRef.bytes)}`}.`;
    }
    case "run-failed": {
      const { error } = bodyOf(end, end.kind);
      return `${who} failed: ${error.code}: ${error.message}`;
    }
    case "run-cancelled":
      return `${who} was cancelled: ${bodyOf(end, end.kind).reason}`;
    case "run-parked": {
      const { error } = bodyOf(end, end.kind);
      return `${who} is parked: ${error.code}: ${error.message}`;
    }
    default:
      return `${who} is still open.`;
  }
}

/** True if the entry says how a step ended. */
export function isOutcome(entry: LedgerEntry): boolean {
  return outcomeKinds.has(entry.kind);
}

/** How a step ended. */
export function tellOutcome(entry: LedgerEntry): Telling | undefined {
  const { kind, key } = entry;
  switch (kind) {
    case "step-done": {
      const body = bodyOf(entry, kind);
      if (body.edited === true)
        return { kind: "person", sentence: `${key}: a person put in ${toResult(body)} when the run was forked.` };
      const reply = findModelReply(key, body.out);
      if (reply !== undefined)
        return {
          kind: "step",
          sentence: `${key}: model ${reply.model} ${reply.toolCalls.length === 0 ? "answered: " : ""}${describeReply(reply)}.`,
        };
      return {
        kind: "step",
        sentence: `${key}: ${body.call ?? "the step"} returned ${toResult(body)}${toTries(body.attempt)}${toDoer(body.report)}.`,
      };
    }
    case "step-failed": {
      const body = bodyOf(entry, kind);
      return {
        kind: "step",
        sentence: `${key}: ${body.call ?? "the step"} failed${toTries(body.attempt)}: ${toText(body.error)}`,
      };
    }
    case "effect-settled": {
      const body = bodyOf(entry, kind);
      return { kind: body.by === "person" ? "person" : "effect", sentence: `${key}: ${tellSettled(body)}` };
    }
    case "effect-failed": {
      const { effect, error } = bodyOf(entry, kind);
      return { kind: "effect", sentence: `${key}: effect ${effect} did not happen: ${toText(error)}` };
    }
    case "effect-shared": {
      const { effect, from } = bodyOf(entry, kind);
      return {
        kind: "effect",
        sentence: `${key}: effect ${effect} had been done by run ${from.run} at ${from.step}; its result was taken over.`,
      };
    }
    case "effect-undone":
      return { kind: "effect", sentence: `${key}: effect ${bodyOf(entry, kind).effect} was taken back.` };
    case "timer-fired":
      return { kind: "step", sentence: `${key}: its time had come.` };
    case "scope-closed": {
      const { agent, error, confidence, ...body } = bodyOf(entry, kind);
      const who = agent === undefined ? "this part" : `agent ${agent}`;
      const sure =
        confidence === undefined
          ? ""
          : ` (confidence ${Math.round(confidence.value * 100)} %, by ${confidence.source})`;
      const what = error === undefined ? `returned ${toResult(body)}${sure}.` : `failed: ${toText(error)}`;
      return { kind: agent === undefined ? "step" : "agent", sentence: `${key}: ${who} ${what}` };
    }
    case "child-settled": {
      const { child, error, ...body } = bodyOf(entry, kind);
      return {
        kind: "child",
        sentence: `${key}: child run ${child} ${error === undefined ? `returned ${toResult(body)}.` : `failed: ${toText(error)}`}`,
      };
    }
    case "document-read":
    case "document-committed":
    case "document-conflicted":
      return tellDocument(entry, kind);
    default:
      return undefined;
  }
}

function tellDocument(
  entry: LedgerEntry,
  kind: "document-read" | "document-committed" | "document-conflicted",
): Telling {
  const { key } = entry;
  switch (kind) {
    case "document-read": {
      const { document, version } = bodyOf(entry, kind);
      return { kind: "step", sentence: `${key}: ${document} was read in version ${version}.` };
    }
    case "document-committed": {
      const { error, writes, ...body } = bodyOf(entry, kind);
      const written = writes.map(({ document, version }) => `${document} in version ${version}`).join(", ");
      const what = error === undefined ? `returned ${toResult(body)}` : `failed: ${toText(error)}`;
      return {
        kind: "step",
        sentence: `${key}: the transaction ${what}${written === "" ? "" : ` and wrote ${written}`}${toTries(body.attempt)}.`,
      };
    }
    case "document-conflicted": {
      const stale = bodyOf(entry, kind).stale.map(({ document, newest }) => `${document} (version ${newest})`);
      return { kind: "step", sentence: `${key}: a try was stopped, because others had written ${stale.join(", ")}.` };
    }
  }
}

/** That a step began, for one that has not ended. */
export function tellStart(entry: LedgerEntry): Telling | undefined {
  const { kind, key } = entry;
  switch (kind) {
    case "effect-intended": {
      const { tool, effect } = bodyOf(entry, kind);
      return {
        kind: "effect",
        sentence: `${key}: ${tool} was started for effect ${effect}; its outcome is not recorded.`,
      };
    }
    case "effect-in-doubt": {
      const { effect, why } = bodyOf(entry, kind);
      return { kind: "effect", sentence: `${key}: nobody knows whether effect ${effect} happened: ${why}` };
    }
    case "agent-started": {
      const { agent, version } = bodyOf(entry, kind);
      return { kind: "agent", sentence: `${key}: agent ${agent} (version ${version}) is at work.` };
    }
    case "approval-requested": {
      const { approval, about } = bodyOf(entry, kind);
      return { kind: "person", sentence: `${key}: waits for people (${approval}): ${about}` };
    }
    case "timer-set":
      return { kind: "step", sentence: `${key}: waits until ${new Date(bodyOf(entry, kind).dueAt).toISOString()}.` };
    case "child-started": {
      const { child, flow } = bodyOf(entry, kind);
      return { kind: "child", sentence: `${key}: child run ${child} of ${flow} has not ended.` };
    }
    case "attempt-failed": {
      const { attempt, error, nextAt } = bodyOf(entry, kind);
      return {
        kind: "attempt",
        sentence: `${key}: attempt ${attempt} failed (${toText(error)}); the next is due at ${new Date(nextAt).toISOString()}.`,
      };
    }
    default:
      return undefined;
  }
}

/** What else happened to a step on its way. */
export function tellDetail(entry: LedgerEntry): Telling | undefined {
  const { kind } = entry;
  switch (kind) {
    case "attempt-failed": {
      const { attempt, error } = bodyOf(entry, kind);
      return { kind: "attempt", sentence: `Attempt ${attempt} had failed: ${toText(error)}` };
    }
    case "effect-in-doubt":
      return { kind: "effect", sentence: `Its outcome was unknown: ${bodyOf(entry, kind).why}` };
    case "votes-counted":
      return { kind: "step", sentence: `Votes were counted: ${describeVotes(bodyOf(entry, kind))}.` };
    case "message-sent":
      return { kind: "step", sentence: `A message, ${describeMessage(bodyOf(entry, kind))}.` };
    case "decision-made":
      return { kind: "step", sentence: `It was decided: ${describeDecision(bodyOf(entry, kind))}.` };
    case "policy-decided":
    case "effect-intended": {
      const [decision] = toPolicyDecisions(entry);
      return decision === undefined ? undefined : { kind: "policy", sentence: tellDecision(decision) };
    }
    case "approval-requested": {
      const { about, round } = bodyOf(entry, kind);
      return { kind: "person", sentence: `People were asked${round === 1 ? "" : ` (for time ${round})`}: ${about}` };
    }
    case "approval-voted": {
      const { by, verdict, note, to } = bodyOf(entry, kind);
      const said = `${by}: ${verdict}${to === undefined ? "" : ` to ${to}`}${toNote(note)}.`;
      return {
        kind: "person",
        sentence: [...new Set([said, ...toPolicyDecisions(entry).map(tellDecision)])].join(" "),
      };
    }
    case "approval-overdue":
      return { kind: "person", sentence: `Nobody decided in time: ${bodyOf(entry, kind).next}.` };
    case "approval-decided":
      return { kind: "person", sentence: `The approval was ${describeDecided(bodyOf(entry, kind))}.` };
    case "effect-resolved": {
      const { by, note } = bodyOf(entry, kind);
      if (by === "freeze") return { kind: "effect", sentence: "It had not been sent yet when a freeze came." };
      const who = by === "person" ? "A person" : "The tool's check";
      return {
        kind: by === "person" ? "person" : "effect",
        sentence: `${who} found that it had not happened${toNote(note)}.`,
      };
    }
    default:
      return undefined;
  }
}

function tellDecision({ verdict, policy }: PolicyDecision): string {
  const rules = verdict.rules.length === 0 ? "" : ` by ${verdict.rules.join(", ")}`;
  const said =
    verdict.kind === "allow"
      ? "allowed it"
      : `${verdict.kind === "deny" ? "refused it" : "asked for people"}: ${verdict.why}`;
  return `The policy ${policy.name} (version ${policy.version.slice(0, 12)}) ${said}${rules}.`;
}

function tellSettled(body: BodyOf<"effect-settled">): string {
  const result = body.error === undefined ? `with ${toResult(body)}` : `but ${toText(body.error)}`;
  switch (body.by) {
    case "tool":
      return `effect ${body.effect} was done ${result}${toTries(body.attempt)}${toDoer(body.report)}.`;
    case "check":
      return `the tool's check found effect ${body.effect} done, ${result}${toNote(body.note)}${toDoer(body.report)}.`;
    case "person":
      return `a person said that effect ${body.effect} was done, ${result}${toNote(body.note)}.`;
  }
}

function toResult(body: Pick<BodyOf<"step-done">, "out" | "outRef">): string {
  return body.outRef === undefined ? toPreview(body.out) : `a value of ${toByteText(body.outRef.bytes)}`;
}

function toTries(attempt: number | undefined): string {
  return attempt === undefined || attempt === 1 ? "" : ` at attempt ${attempt}`;
}

/** Who did it, and who could not: one provider in the place of another may be why a result is what it is. */
function toDoer(report: ToolReport | undefined): string {
  if (report?.provider === undefined) return "";
  const tried = (report.tried ?? []).map(({ provider, code }) => `${provider} (${code})`).join(", ");
  return `, by ${report.provider}${tried === "" ? "" : ` after ${tried}`}`;
}

function toNote(note: string | undefined): string {
  return note === undefined ? "" : ` (${note})`;
}

function toText(error: StoredError): string {
  return `${error.code}: ${error.message}`;
}

/** What a person did to a run, or wanted of it. */
export function tellPerson(entry: LedgerEntry): string | undefined {
  switch (entry.kind) {
    case "cancel-requested": {
      const { by, reason } = bodyOf(entry, entry.kind);
      return `${by} asked to cancel it: ${reason}`;
    }
    case "run-paused":
      return tellWhy(bodyOf(entry, entry.kind), "paused it");
    case "run-resumed":
      return tellWhy(bodyOf(entry, entry.kind), "resumed it");
    case "undo-requested":
      return tellWhy(bodyOf(entry, entry.kind), "wanted what it did to be taken back");
    case "directive-given": {
      const given = bodyOf(entry, entry.kind);
      return `${describeDirective(given)}${given.from === undefined ? "" : `, in run ${given.from}`}.`;
    }
    default:
      return undefined;
  }
}

function tellWhy(person: { readonly by: string; readonly reason?: string | undefined }, did: string): string {
  return `${person.by} ${did}${person.reason === undefined ? "" : `: ${person.reason}`}.`;
}
