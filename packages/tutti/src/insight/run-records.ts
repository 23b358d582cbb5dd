import type { DocumentUses } from "../contracts/api/ledger.ts";
import type { DecisionGraph, MessagePage, WhySlice } from "../contracts/api/runs.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { flowLane, parentOf } from "./score/score-places.ts";
import type { ScoreState } from "./score/score-state.ts";
import type { Reason } from "./why.ts";

type Decision = DecisionGraph["decisions"][number];

/** Every decision of a run: what else was possible, which steps it leaned on, and which used what came of it. */
export function toDecisions(entries: readonly LedgerEntry[], score: ScoreState): readonly Decision[] {
  const decisions = entries.flatMap((entry) => toDecision(entry) ?? []);
  const inside = new Set(decisions.map(({ step }) => parentOf(step)));
  const usersByPart = new Map<string, string[]>();
  for (const { path, uses } of score.places.values()) {
    for (const used of uses) {
      if (!inside.has(used)) continue;
      const users = usersByPart.get(used);
      if (users === undefined) usersByPart.set(used, [path]);
      else users.push(path);
    }
  }
  return decisions.map((decision) => {
    const part = parentOf(decision.step);
    const before = score.places.get(decision.step)?.before;
    const given = score.places.get(part)?.uses ?? [];
    const voters = decision.votes?.map(({ step }) => step) ?? [];
    const basedOn = [...new Set([...voters, ...given, ...(before === undefined || before === part ? [] : [before])])];
    return {
      ...decision,
      lane: score.places.get(decision.step)?.lane ?? flowLane,
      basedOn,
      ledTo: usersByPart.get(part) ?? [],
    };
  });
}

function toDecision(entry: LedgerEntry): Decision | undefined {
  const about = { seq: entry.seq, at: entry.at, step: entry.key, lane: "", basedOn: [], ledTo: [] };
  if (entry.kind === "decision-made") {
    const { confidence, alternatives = [], ...made } = bodyOf(entry, entry.kind);
    return { ...about, ...made, kind: "decision", alternatives, confidence: confidence?.value };
  }
  if (entry.kind !== "votes-counted") return undefined;
  const { rule, outcome, votes, silent, confidence, reason } = bodyOf(entry, entry.kind);
  return {
    ...about,
    kind: "votes",
    about: rule,
    chosen: outcome,
    why: reason ?? `${votes.filter(({ agrees }) => agrees).length} of ${votes.length + silent.length} agreed`,
    alternatives: [],
    confidence: confidence?.value,
    votes: votes.map(({ voter, step, agrees, weight, reason: why }) => ({ voter, step, agrees, weight, reason: why })),
    silent,
  };
}

export function toMessages(entries: readonly LedgerEntry[]): MessagePage["messages"] {
  return entries.flatMap((entry) =>
    entry.kind === "message-sent"
      ? [{ seq: entry.seq, at: entry.at, step: entry.key, ...bodyOf(entry, entry.kind) }]
      : [],
  );
}

type DocumentUse = Omit<DocumentUses["uses"][number], "newest">;

/** Which versions of documents a run read and wrote, in the order of its entries. */
export function toDocumentUses(entries: readonly LedgerEntry[]): readonly DocumentUse[] {
  return entries.flatMap((entry): readonly DocumentUse[] => {
    const about = { step: entry.key, seq: entry.seq, at: entry.at };
    if (entry.kind === "document-read") {
      const { document, version, peeked } = bodyOf(entry, entry.kind);
      return [{ ...about, document, version, use: peeked === true ? "peeked" : "read" }];
    }
    if (entry.kind !== "document-committed") return [];
    return bodyOf(entry, entry.kind).writes.map(({ document, version, mergedFrom }) => ({
      ...about,
      document,
      version,
      mergedFrom,
      use: "written",
    }));
  });
}

/** Reasons in a row, each after what it led to. */
export function toReasonLines(reason: Reason): WhySlice["reasons"] {
  const lines: WhySlice["reasons"][number][] = [];
  const add = ({ kind, sentence, step, seq, because }: Reason, depth: number, parent: number | undefined): void => {
    const place = lines.push({ kind, sentence, step, seq, depth, parent }) - 1;
    for (const each of because) add(each, depth + 1, place);
  };
  add(reason, 0, undefined);
  return lines;
}
