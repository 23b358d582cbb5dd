import { TuttiError } from "../base/errors.ts";
import type { RunDetail } from "../contracts/api/runs.ts";
import { bodyOf, type BodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { toDocumentId, toRunId, toStepKey } from "../contracts/ids.ts";
import { blobHashesOf } from "../flow/stored-value.ts";
import { compareRuns, type RunToCompare } from "../insight/compare/compare-runs.ts";
import type { FoundRun } from "../insight/fleet/fleet.ts";
import { toRunLine, toStatus } from "../insight/fleet/run-notes.ts";
import { toRunTree } from "../insight/next-run-tree.ts";
import { toDecisions, toDocumentUses, toMessages, toReasonLines } from "../insight/run-records.ts";
import type { RunPhase, RunTree } from "../insight/run-tree.ts";
import { viewChanges, viewPhase, viewScore } from "../insight/score/score-view.ts";
import { whyOf } from "../insight/why.ts";
import { findBreak, toChainStart, type ChainEnd } from "../ledger/chain.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { drawRun } from "../teams/plan/draw-run.ts";
import { toDiagram, toMermaid } from "../teams/plan/drawing.ts";
import { readPlanEvents } from "../teams/plan/plan-events.ts";
import { viewPlans } from "../teams/plan/plan-view.ts";
import { drawDiagram } from "../tools/image/draw-diagram.ts";
import { toBlobResponse } from "./blob-response.ts";
import { findOwnRun, isDecider, type Call, type Desk, type Handlers } from "./desk.ts";
import { toEntryPage, toKindFilter } from "./entry-pages.ts";
import { toToldValue } from "./told-value.ts";

type RunCall = Pick<Call, "caller" | "param">;

/** What is asked about one run, and the list of them. */
export const runHandlers: Handlers<
  | "listRuns"
  | "showRun"
  | "showScore"
  | "showPhase"
  | "showChanges"
  | "compareRuns"
  | "why"
  | "listDecisions"
  | "listMessages"
  | "listDocumentUses"
  | "listRunEntries"
  | "readBlob"
  | "verifyRun"
  | "listPlans"
  | "drawRun"
> = {
  listRuns: ({ fleet, tutti }, { query, caller }) =>
    fleet.listRuns(query, {
      tenant: caller.tenant,
      mayDecide: (approval) => isDecider(caller) && tutti.approvals.mayDecide(approval, caller.name),
      maySettle: isDecider(caller),
    }),
  async showRun(desk, call) {
    const found = await findOwnRun(desk, call);
    const run = toRunId(found.notes.run);
    const { tree } = await desk.scores.read(run);
    const [first] = await desk.tutti.ledger.read(run, 1, 1);
    const started = first === undefined ? undefined : bodyOf(first, "run-started");
    return toDetail(found, { tree, started, done: await findDone(desk.tutti.ledger, tree) });
  },
  async showScore(desk, call) {
    const { notes, mark } = await findOwnRun(desk, call);
    return viewScore(await desk.scores.read(toRunId(notes.run), call.query.seq), toStatus(notes, mark));
  },
  async showPhase(desk, call) {
    const { notes } = await findOwnRun(desk, call);
    const number = Number(call.param("phase"));
    const phase = viewPhase(await desk.scores.read(toRunId(notes.run), call.query.seq), number);
    if (phase !== undefined) return phase;
    throw new TuttiError("USAGE", `run ${notes.run} has no phase ${call.param("phase")}`, {
      hint: "Phases are numbered from 0; the score lists them.",
    });
  },
  async showChanges(desk, call) {
    const { notes, mark } = await findOwnRun(desk, call);
    return viewChanges(await desk.scores.read(toRunId(notes.run)), call.query.since, toStatus(notes, mark));
  },
  async compareRuns(desk, call) {
    const read = async (of: RunCall): Promise<RunToCompare> => {
      const entries = await readEntries(desk, of);
      const { notes, mark } = await findOwnRun(desk, of);
      return { entries, score: await desk.scores.read(toRunId(notes.run)), status: toStatus(notes, mark) };
    };
    const other = call.query.with;
    return compareRuns(await read(call), await read({ caller: call.caller, param: () => other }));
  },
  async why(desk, call) {
    const { step, depth, seq } = call.query;
    const entries = await readEntries(desk, call, seq);
    const limits = depth === undefined ? {} : { depthMax: depth };
    const reason = whyOf(entries, step === undefined ? undefined : toStepKey(step), limits);
    return { run: call.param("run"), reasons: toReasonLines(reason) };
  },
  async listDecisions(desk, call) {
    const { seq } = call.query;
    const entries = await readEntries(desk, call, seq);
    const score = await desk.scores.read(toRunId(call.param("run")), seq);
    return { seq: lastSeq(entries), decisions: toDecisions(entries, score) };
  },
  async listMessages(desk, call) {
    const entries = await readEntries(desk, call, call.query.seq);
    return { seq: lastSeq(entries), messages: toMessages(entries) };
  },
  async listDocumentUses(desk, call) {
    const { seq } = call.query;
    const entries = await readEntries(desk, call, seq);
    const { documents } = await desk.fleet.catchUp();
    const uses = toDocumentUses(entries).map((use) => {
      // What others have written since then was not known at that moment.
      const newest = seq === undefined ? documents.get(toDocumentId(use.document))?.version : undefined;
      return { ...use, newest: newest ?? use.version };
    });
    return { seq: lastSeq(entries), uses };
  },
  async listRunEntries(desk, call) {
    const { notes } = await findOwnRun(desk, call);
    const { ledger } = desk.tutti;
    const read = (after: number, limit: number): Promise<readonly LedgerEntry[]> =>
      ledger.read(toRunId(notes.run), after + 1, limit);
    return toEntryPage({ read, placeOf: ({ seq }) => seq, fits: toKindFilter(call.query) }, call.query);
  },
  async readBlob(desk, call) {
    const entries = await readEntries(desk, call);
    const hash = call.param("hash");
    const isHeld = entries.some(({ body }) => blobHashesOf(body).includes(hash));
    const content = isHeld ? await desk.tutti.ledger.readBlob(hash) : undefined;
    if (content !== undefined) return toBlobResponse(content, call.request.headers.get("range"));
    throw new TuttiError("RUN_UNKNOWN", `run ${call.param("run")} has no value ${hash}`, {
      hint: "Values are named in the run's entries.",
    });
  },
  async verifyRun(desk, call) {
    return toVerdict(call.param("run"), await readEntries(desk, call));
  },
  async listPlans(desk, call) {
    const entries = await readEntries(desk, call);
    const events = await readPlanEvents(entries, (hash) => desk.tutti.ledger.readBlob(hash));
    return { plans: viewPlans(events, toRunTree(entries)) };
  },
  async drawRun(desk, call) {
    const drawing = drawRun(await readEntries(desk, call));
    return call.query.form === "svg"
      ? new Response(drawDiagram(toDiagram(drawing)), { headers: { "content-type": "image/svg+xml" } })
      : new Response(toMermaid(drawing), { headers: { "content-type": "text/plain; charset=utf-8" } });
  },
};

const chunkEntries = 2_000;
const endingEntries = 50;

/**
 * All entries of a run that the caller may see, or those up to one of them, a part at a time, so that others have their turn.
 * @throws TuttiError RUN_UNKNOWN
 */
export async function readEntries(
  desk: Desk,
  call: RunCall,
  untilSeq: number = Number.POSITIVE_INFINITY,
): Promise<readonly LedgerEntry[]> {
  const { notes } = await findOwnRun(desk, call);
  const entries: LedgerEntry[] = [];
  for (;;) {
    const limit = Math.min(chunkEntries, untilSeq - entries.length);
    const part = limit <= 0 ? [] : await desk.tutti.ledger.read(toRunId(notes.run), entries.length + 1, limit);
    entries.push(...part);
    if (part.length < chunkEntries) return entries;
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

function lastSeq(entries: readonly LedgerEntry[]): number {
  return entries.at(-1)?.seq ?? 0;
}

interface DetailParts {
  readonly tree: RunTree;
  readonly started: BodyOf<"run-started"> | undefined;
  readonly done: BodyOf<"run-done"> | undefined;
}

function toDetail({ notes, mark }: FoundRun, { tree, started, done }: DetailParts): RunDetail {
  const { parent, forkedFrom, phase } = tree;
  return {
    line: toRunLine(notes, mark),
    input: toToldValue(started?.input, started?.inputRef),
    output: done === undefined ? {} : toToldValue(done.out, done.outRef),
    children: notes.children,
    note: toNote(phase),
    cancelRequested: tree.cancelRequested ? true : undefined,
    forkedAt: forkedFrom === undefined ? undefined : { run: forkedFrom.run, step: forkedFrom.step, by: forkedFrom.by },
    startedBy: parent === undefined ? undefined : { run: parent.run, step: parent.step },
  };
}

/** Little comes after the end of a run, so it is looked for from behind. */
async function findDone(ledger: Ledger, { run, seq, output }: RunTree): Promise<BodyOf<"run-done"> | undefined> {
  if (output === undefined) return undefined;
  for (let end = seq; end > 0; end -= endingEntries) {
    const from = Math.max(1, end - endingEntries + 1);
    const done = (await ledger.read(run, from, end - from + 1)).findLast(({ kind }) => kind === "run-done");
    if (done !== undefined) return bodyOf(done, "run-done");
  }
  return undefined;
}

/** Who paused it, or why it was cancelled, as far as that still counts. */
function toNote(phase: RunPhase): string | undefined {
  if (phase.kind === "paused") return `paused by ${phase.by}`;
  return phase.kind === "cancelled" ? phase.reason : undefined;
}

interface Verdict {
  readonly isIntact: boolean;
  readonly entries: number;
  readonly runs: number;
  readonly lsn?: number;
  readonly run?: string;
  readonly seq?: number;
  readonly why?: string;
}

function toVerdict(run: string, entries: readonly LedgerEntry[]): Verdict {
  let end: ChainEnd = toChainStart(run);
  for (const entry of entries) {
    const why = findBreak(end, entry);
    if (why !== undefined)
      return { isIntact: false, entries: end.seq, runs: 1, lsn: entry.lsn, run, seq: entry.seq, why };
    end = entry;
  }
  return { isIntact: true, entries: entries.length, runs: 1 };
}
