import { toSentences, toTerms, toTextIndex } from "../../base/text-rank.ts";
import type { Source } from "./source.ts";

/** A piece of a source that can be found on its own, and where it stands in the source's text. */
export interface Passage {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export interface FoundPassage extends Passage {
  /** BM25: comparable within one search only. */
  readonly score: number;
}

export interface PassageIndex {
  readonly size: number;
  search(query: string, limit: number): FoundPassage[];
}

// Long enough to hold an answer and what it is about, short enough for a model to read eight of them.
const passageMax = 900;
// One long document must not hide all others.
const perSourceMax = 2;

export function toPassageIndex(sources: readonly Source[]): PassageIndex {
  const passages = sources.flatMap(toPassages);
  // What a document is called counts for each of its passages.
  const index = toTextIndex(
    passages.map(({ source, start, end }) => [...toTerms(source.title), ...toTerms(source.text.slice(start, end))]),
  );
  return {
    size: passages.length,
    search(query, limit) {
      const found: FoundPassage[] = [];
      const countBySource = new Map<string, number>();
      for (const { index: position, score } of index.rank(toTerms(query), passages.length)) {
        const passage = passages[position];
        if (passage === undefined) continue;
        const count = countBySource.get(passage.source.id) ?? 0;
        if (count >= perSourceMax) continue;
        countBySource.set(passage.source.id, count + 1);
        found.push({ ...passage, score });
        if (found.length >= limit) break;
      }
      return found;
    },
  };
}

/** Cuts at blank lines, and a paragraph that is too long at its sentences; neighbours are joined up to the limit. */
export function toPassages(source: Source): Passage[] {
  const passages: Passage[] = [];
  let start = -1;
  let end = -1;
  for (const piece of toPieces(source.text)) {
    if (start >= 0 && piece.end - start > passageMax) {
      passages.push({ source, start, end });
      start = -1;
    }
    if (start < 0) start = piece.start;
    end = piece.end;
  }
  if (start >= 0) passages.push({ source, start, end });
  return passages;
}

interface Piece {
  readonly start: number;
  readonly end: number;
}

function* toPieces(text: string): Generator<Piece> {
  let from = 0;
  for (const paragraph of text.split("\n\n")) {
    const start = from + (paragraph.length - paragraph.trimStart().length);
    from += paragraph.length + 2;
    const words = paragraph.trim();
    if (words === "") continue;
    if (words.length <= passageMax) {
      yield { start, end: start + words.length };
      continue;
    }
    for (const sentence of toSentences(words)) {
      // A "sentence" may be a table or a program: cut hard what has no end.
      for (let cut = sentence.start; cut < sentence.end; cut += passageMax) {
        yield { start: start + cut, end: start + Math.min(cut + passageMax, sentence.end) };
      }
    }
  }
}
