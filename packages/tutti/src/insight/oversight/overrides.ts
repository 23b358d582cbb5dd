import type { AutonomyTier } from "../../contracts/autonomy.ts";
import { bodyOf } from "../../contracts/entry.ts";
import { toRunId } from "../../contracts/ids.ts";
import { toPolicyDecisions } from "../../contracts/policy-decision.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openJudgementReader, type Judgement } from "./judgements.ts";
import { toShown, type Case } from "./precedent-book.ts";

/** Of the lines that `tutti overrides export` writes. */
export const overrideVersion = 1;

/** A person decided otherwise than was proposed: a labelled example. Made from the entries; nothing of it is stored besides. */
export interface Override {
  readonly version: typeof overrideVersion;
  /** The entry that says so: `lsn` names the override for ever. */
  readonly lsn: number;
  readonly at: number;
  readonly kind: "edited" | "rejected" | "undone";
  readonly run: string;
  readonly step: string;
  readonly tool: string;
  /** What was proposed. */
  readonly before: unknown;
  /** What the person made of it; null when it should not be done at all. */
  readonly after: unknown;
  readonly by: readonly string[];
  /** Why, as one word, and in their own. */
  readonly reasonCode: string | null;
  readonly note: string | null;
  readonly features: {
    readonly flow: string;
    readonly tenant: string | null;
    /** Who proposed it; null for the flow's own code. */
    readonly agent: string | null;
    readonly agentVersion: string | null;
    readonly tier: AutonomyTier;
    readonly dataClasses: readonly string[];
    readonly approval: string | null;
  };
}

type Reading = Pick<Ledger, "scan" | "readBlob" | "read">;

/** Nothing for what is no override, and for what belongs to a run about a person, whose data stays in its run. */
export async function toOverride(ledger: Reading, judgement: Judgement): Promise<Override | undefined> {
  const { verdict, deed, lsn, at, by } = judgement;
  if (verdict === "agreed" || verdict === "in-doubt") return undefined;
  if (await isPersonal(ledger, deed)) return undefined;
  const { run, step, tool, flow, tenant, agent, tier, dataClasses } = deed;
  return {
    version: overrideVersion,
    lsn,
    at,
    kind: verdict,
    run,
    step,
    tool,
    before: await readInput(ledger, deed),
    after: judgement.after === undefined ? null : await readJson(ledger, judgement.after),
    by,
    reasonCode: judgement.code ?? null,
    note: judgement.note ?? null,
    features: {
      flow,
      tenant: tenant ?? null,
      agent: agent?.name ?? null,
      agentVersion: agent?.version ?? null,
      tier,
      dataClasses,
      approval: judgement.approval ?? null,
    },
  };
}

async function isPersonal(ledger: Reading, { run }: Judgement["deed"]): Promise<boolean> {
  const [first] = await ledger.read(toRunId(run), 1, 1);
  return first !== undefined && bodyOf(first, "run-started").personal !== undefined;
}

async function readInput(ledger: Reading, { lsn }: Judgement["deed"]): Promise<unknown> {
  const [entry] = await ledger.scan(lsn - 1, 1);
  const [decision] = entry === undefined ? [] : toPolicyDecisions(entry);
  if (decision === undefined) return null;
  const { request, inputRef } = decision;
  return inputRef === undefined ? (request.context.input ?? null) : readJson(ledger, inputRef.hash);
}

async function readJson(ledger: Reading, hash: string): Promise<unknown> {
  const text = await ledger.readBlob(hash);
  return text === undefined ? null : JSON.parse(text);
}

/** As it is found by cases like it. */
export function toOverrideCase({ lsn, kind, tool, before, after, note, reasonCode, features }: Override): Case {
  const why = [reasonCode, note].filter((each) => each !== null).join(": ");
  return {
    id: String(lsn),
    decision: kind,
    text: `${tool} with ${toShown(before)} was ${kind}${after === null ? "" : ` to ${toShown(after)}`}${why === "" ? "" : ` (${why})`}`,
    words: `${tool} ${JSON.stringify(before)} ${JSON.stringify(after)} ${note ?? ""} ${reasonCode ?? ""}`,
    tenant: features.tenant,
    matter: tool,
    agent: features.agent,
  };
}

const batchEntriesMax = 1_000;

/** Every override in a ledger, the oldest first. */
export async function* readOverrides(ledger: Reading): AsyncGenerator<Override, void> {
  const judge = openJudgementReader();
  for (let lsn = 0; ;) {
    const entries = await ledger.scan(lsn, batchEntriesMax);
    for (const entry of entries) {
      lsn = entry.lsn;
      const judgement = judge.note(entry);
      const override = judgement === undefined ? undefined : await toOverride(ledger, judgement);
      if (override !== undefined) yield override;
    }
    if (entries.length < batchEntriesMax) return;
  }
}
