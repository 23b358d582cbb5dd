import { DatabaseSync } from "node:sqlite";

/** A piece of a page that can be found on its own. */
export interface StoredPassage {
  /** The page's address: each page is found once. */
  readonly url: string;
  readonly title: string;
  readonly text: string;
  /** The words that it is found by, in the form that questions are put in. */
  readonly terms: string;
  readonly titleTerms: string;
}

export interface FoundRow {
  readonly url: string;
  readonly title: string;
  readonly text: string;
}

/** An index of passages in memory. */
export interface PassageStore {
  add(passages: Iterable<StoredPassage>): void;
  /** The best passage of each page that fits, the best page first. `match` is in FTS5's language. */
  find(match: string, limit: number): readonly FoundRow[];
  close(): void;
}

/**
 * `passage` is its own index: FTS5 keeps the words of `title_terms` and `terms`, and only stores the rest. Terms come ready made, so the
 * tokenizer has only to cut at spaces.
 */
const tables = `
create virtual table passage using fts5(
  title_terms,
  terms,
  url unindexed,
  title unindexed,
  body unindexed,
  tokenize = "unicode61 remove_diacritics 0"
);
`;

const insertPassage = `
insert into passage(title_terms, terms, url, title, body) values (?, ?, ?, ?, ?)
`;

// Uses the full-text index of `passage`; a word in the title counts three times. Sorting by `rank` lets FTS5 stop at its limit. Of each
// page SQLite takes the row with the smallest rank, which is the best.
const selectPages = `
select url, title, body, min(score) as best
from (
  select url, title, body, rank as score
  from passage
  where passage match ? and rank match 'bm25(3.0, 1.0)'
  order by rank
  limit ?
)
group by url
order by best
limit ?
`;

/** The best passages of all are looked at, so that a word which is everywhere costs no more than this. */
const passagesMax = 500;

export function openPassageStore(): PassageStore {
  const database = new DatabaseSync(":memory:");
  database.exec(tables);
  const insert = database.prepare(insertPassage);
  const select = database.prepare(selectPages);
  return {
    add(passages) {
      database.exec("begin");
      for (const { titleTerms, terms, url, title, text } of passages) insert.run(titleTerms, terms, url, title, text);
      database.exec("commit");
    },
    find: (match, limit) => select.all(match, passagesMax, limit).map(toRow),
    close: () => database.close(),
  };
}

function toRow(row: Readonly<Record<string, unknown>>): FoundRow {
  return { url: String(row["url"]), title: String(row["title"]), text: String(row["body"]) };
}
