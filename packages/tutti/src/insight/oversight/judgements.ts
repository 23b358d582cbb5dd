import { toActionKinds, toTier, type AgentVersion, type AutonomyTier } from "../../contracts/autonomy.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { ApprovalId } from "../../contracts/ids.ts";
import { toPolicyDecisions, type PolicyDecision } from "../../contracts/policy-decision.ts";

/** A call that the policy was asked about. Its input stands in the entry at `lsn`. */
export interface Deed {
  readonly lsn: number;
  readonly run: string;
  readonly step: string;
  readonly flow: string;
  readonly tenant: string | undefined;
  /** Nothing when the flow's own code made the call. */
  readonly agent: AgentVersion | undefined;
  readonly tool: string;
  readonly tier: AutonomyTier;
  readonly dataClasses: readonly string[];
  readonly kinds: readonly string[];
}

/**
 * What became clear about a deed. `agreed`, `edited`, `rejected`: what people said before it was done. `undone`: a person had it taken back.
 * `in-doubt`: nobody knows what it did.
 */
export interface Judgement {
  readonly verdict: "agreed" | "edited" | "rejected" | "undone" | "in-doubt";
  /** The entry that says so. */
  readonly lsn: number;
  readonly at: number;
  readonly deed: Deed;
  readonly approval: ApprovalId | undefined;
  readonly by: readonly string[];
  readonly code: string | undefined;
  readonly note: string | undefined;
  /** Hash of the input as a person has changed it. */
  readonly after: string | undefined;
}

/** Reads entries of all runs in the ledger's order, and says what each makes clear. */
export interface JudgementReader {
  note(entry: LedgerEntry): Judgement | undefined;
}

interface Asked {
  readonly deed: Deed;
  readonly by: string[];
  code: string | undefined;
  note: string | undefined;
  after: string | undefined;
}

interface Done {
  readonly deed: Deed;
  readonly approval: ApprovalId | undefined;
}

/** Effects that are remembered, the newest: one that is undone after so many others is not noticed any more. */
const effectsMax = 100_000;

interface Book {
  /** By run and step, as long as the run goes on. */
  readonly deeds: Map<string, Map<string, Deed>>;
  readonly asked: Map<ApprovalId, Asked>;
  readonly done: Map<string, Done>;
  /** Who ordered that a run is undone. */
  readonly undoing: Map<string, string>;
}

export function openJudgementReader(): JudgementReader {
  const book: Book = { deeds: new Map(), asked: new Map(), done: new Map(), undoing: new Map() };
  return { note: (entry) => noteEntry(book, entry) };
}

function noteEntry(book: Book, entry: LedgerEntry): Judgement | undefined {
  const { kind } = entry;
  for (const decision of toPolicyDecisions(entry)) noteDeed(book, entry, decision);
  switch (kind) {
    case "approval-requested": {
      const deed = findDeed(book, entry);
      const { approval, kind: asks } = bodyOf(entry, kind);
      if (deed !== undefined && asks === "action")
        book.asked.set(approval, { deed, by: [], code: undefined, note: undefined, after: undefined });
      return undefined;
    }
    case "approval-voted":
      noteVote(book, entry);
      return undefined;
    case "approval-decided":
      return noteDecided(book, entry);
    case "effect-intended":
      noteIntent(book, entry);
      return undefined;
    case "effect-in-doubt":
      return toDoneJudgement(book, entry, { effect: bodyOf(entry, kind).effect, verdict: "in-doubt", by: [] });
    case "undo-requested":
      book.undoing.set(entry.run, bodyOf(entry, kind).by);
      return undefined;
    case "effect-undone": {
      const by = book.undoing.get(entry.run);
      const { effect } = bodyOf(entry, kind);
      // What a flow takes back by itself when it fails says nothing about who decided.
      return by === undefined ? undefined : toDoneJudgement(book, entry, { effect, verdict: "undone", by: [by] });
    }
    case "run-done":
    case "run-failed":
    case "run-cancelled":
      book.deeds.delete(entry.run);
      book.undoing.delete(entry.run);
      return undefined;
    default:
      return undefined;
  }
}

function noteDeed(book: Book, entry: LedgerEntry, { request }: PolicyDecision): void {
  const { principal, resource, context } = request;
  if (resource.kind !== "tool") return;
  const agent = principal.kind === "agent" ? { name: principal.name, version: principal.version } : undefined;
  const deeds = book.deeds.get(entry.run) ?? new Map<string, Deed>();
  deeds.set(entry.key, {
    lsn: entry.lsn,
    run: entry.run,
    step: entry.key,
    flow: context.flow,
    tenant: context.tenant,
    agent,
    tool: resource.name,
    tier: toTier(resource),
    dataClasses: resource.dataClasses ?? [],
    kinds: toActionKinds(resource),
  });
  book.deeds.set(entry.run, deeds);
}

function findDeed(book: Book, { run, key }: LedgerEntry): Deed | undefined {
  return book.deeds.get(run)?.get(key);
}

function noteVote(book: Book, entry: LedgerEntry): void {
  const { approval, by, verdict, code, note, answer } = bodyOf(entry, "approval-voted");
  const asked = book.asked.get(approval);
  if (asked === undefined || verdict === "delegate" || verdict === "abstain") return;
  asked.by.push(by);
  if (verdict === "approve") return;
  asked.code = code;
  asked.note = note;
  if (verdict === "edit") asked.after = answer;
}

function noteDecided(book: Book, entry: LedgerEntry): Judgement | undefined {
  const { approval, state, by } = bodyOf(entry, "approval-decided");
  const asked = book.asked.get(approval);
  book.asked.delete(approval);
  // What nobody decided says nothing.
  if (asked === undefined || by === undefined || (state !== "granted" && state !== "rejected")) return undefined;
  const { deed, code, note, after } = asked;
  const verdict = state === "rejected" ? "rejected" : after === undefined ? "agreed" : "edited";
  const voters = [...new Set(asked.by)];
  return { verdict, lsn: entry.lsn, at: entry.at, deed, approval, by: voters, code, note, after };
}

function noteIntent(book: Book, entry: LedgerEntry): void {
  const deed = findDeed(book, entry);
  if (deed === undefined) return;
  const { effect, approval } = bodyOf(entry, "effect-intended");
  book.done.delete(effect);
  book.done.set(effect, { deed, approval });
  const [oldest] = book.done.keys();
  if (book.done.size > effectsMax && oldest !== undefined) book.done.delete(oldest);
}

interface Told {
  readonly effect: string;
  readonly verdict: "undone" | "in-doubt";
  readonly by: readonly string[];
}

function toDoneJudgement(book: Book, { lsn, at }: LedgerEntry, { effect, verdict, by }: Told): Judgement | undefined {
  const done = book.done.get(effect);
  if (done === undefined) return undefined;
  const { deed, approval } = done;
  return { verdict, lsn, at, deed, approval, by, code: undefined, note: undefined, after: undefined };
}
