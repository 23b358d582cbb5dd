import { toTerms, toTextIndex, type TextIndex } from "../../base/text-rank.ts";
import type { Like, Precedent } from "../../contracts/precedent.ts";

/** Something that people decided, as it is found by cases like it. */
export interface Case extends Omit<Precedent, "similarity"> {
  readonly tenant: string | null;
  /** The tool, or the question as `toQuestion` names it. */
  readonly matter: string;
  /** Whose proposal it was; null for the flow's own code. */
  readonly agent: string | null;
  /** All that it can be found by. */
  readonly words: string;
}

/** The newest cases, and those of them that are like something. */
export interface PrecedentBook {
  add(decided: Case): void;
  /** The nearest first, at most `limit`, never of another tenant. */
  findLike(like: Like, limit: number): readonly Precedent[];
}

/** Older ones are not found any more. */
const casesMax = 2_000;
const wordsCharactersMax = 4_000;
/** What shares less with the question is no precedent. */
const similarityMin = 0.05;

export function openPrecedentBook(): PrecedentBook {
  const cases: Case[] = [];
  let index: TextIndex | undefined;
  return {
    add(decided) {
      cases.push({ ...decided, words: decided.words.slice(0, wordsCharactersMax) });
      if (cases.length > casesMax) cases.shift();
      index = undefined;
    },
    findLike({ tenant, text, agent, ...like }, limit) {
      index ??= toTextIndex(cases.map(({ words }) => toTerms(words)));
      const matter = like.tool ?? like.question;
      const found: Precedent[] = [];
      for (const ranked of index.rank(toTerms(text.slice(0, wordsCharactersMax)), cases.length)) {
        const decided = cases[ranked.index];
        if (decided === undefined || ranked.coverage < similarityMin || found.length >= limit) break;
        const fits = (matter ?? decided.matter) === decided.matter && (agent ?? decided.agent) === decided.agent;
        if (fits && decided.tenant === (tenant ?? null)) found.push(toPrecedent(decided, ranked.coverage));
      }
      return found;
    },
  };
}

function toPrecedent({ id, decision, text }: Case, coverage: number): Precedent {
  return { id, decision, similarity: Math.round(coverage * 1_000) / 1_000, text };
}

const shownCharactersMax = 400;

/** A value as a precedent shows it. */
export function toShown(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax)}…`;
}
