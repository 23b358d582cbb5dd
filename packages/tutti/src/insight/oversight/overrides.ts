import { toTerms, toTextIndex, type TextIndex } from "../../base/text-rank.ts";
import type { AutonomyTier } from "../../contracts/autonomy.ts";
import { bodyOf } from "../../contracts/entry.ts";
import { toRunId } from "../../contracts/ids.ts";
import { toPolicyDecisions } from "../../contracts/policy-decision.ts";
import type { Like, Precedent } from "../../contracts/precedent.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openJudgementReader, type Judgement } from "./judgements.ts";

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

/** The newest overrides, and those of them that are like something. */
export interface OverrideBook {
  add(override: Override): void;
  list(): readonly Override[];
  /** The nearest first, at most `limit`, never of another tenant. */
  findLike(like: Like, limit: number): readonly Precedent[];
}

/** Older ones are still exported, and not found as precedents any more. */
const overridesMax = 2_000;
const textCharactersMax = 4_000;
/** What shares less with the question is no precedent. */
const similarityMin = 0.05;

export function openOverrideBook(): OverrideBook {
  const overrides: Override[] = [];
  let index: TextIndex | undefined;
  return {
    add(override) {
      overrides.push(override);
      if (overrides.length > overridesMax) overrides.shift();
      index = undefined;
    },
    list: () => [...overrides],
    findLike({ tenant, text, tool, agent }, limit) {
      index ??= toTextIndex(overrides.map((each) => toTerms(toText(each))));
      const found: Precedent[] = [];
      for (const ranked of index.rank(toTerms(text.slice(0, textCharactersMax)), overrides.length)) {
        const override = overrides[ranked.index];
        if (override === undefined || ranked.coverage < similarityMin || found.length >= limit) break;
        const { features } = override;
        const fits = (tool ?? override.tool) === override.tool && (agent ?? features.agent) === features.agent;
        if (fits && features.tenant === (tenant ?? null)) found.push(toPrecedent(override, ranked.coverage));
      }
      return found;
    },
  };
}

function toText({ tool, before, after, note, reasonCode }: Override): string {
  return `${tool} ${JSON.stringify(before)} ${JSON.stringify(after)} ${note ?? ""} ${reasonCode ?? ""}`.slice(
    0,
    textCharactersMax,
  );
}

const shownCharactersMax = 400;

function toPrecedent({ lsn, kind, tool, before, after, note, reasonCode }: Override, coverage: number): Precedent {
  const why = [reasonCode, note].filter((each) => each !== null).join(": ");
  return {
    id: String(lsn),
    decision: kind,
    similarity: Math.round(coverage * 1_000) / 1_000,
    text: `${tool} with ${cut(before)} was ${kind}${after === null ? "" : ` to ${cut(after)}`}${why === "" ? "" : ` (${why})`}`,
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

function cut(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax)}…`;
}
