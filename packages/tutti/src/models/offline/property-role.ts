import { toStem } from "../../base/text-rank.ts";

/** What a property wants, guessed from its name. `other` means: nothing to go by. */
export type PropertyRole =
  | "disclosure"
  | "quote"
  | "source"
  | "question"
  | "title"
  | "claim"
  | "prose"
  | "reason"
  | "phrase"
  | "slug"
  | "count"
  | "confidence"
  | "other";

const namesByRole: readonly (readonly [PropertyRole, string])[] = [
  ["disclosure", "note notes disclosure remark caveat limitation method methodology"],
  ["quote", "quote quotation excerpt verbatim evidence"],
  ["source", "source url uri link path file document reference origin citation"],
  ["question", "question query"],
  ["title", "title heading headline name subject topic caption label"],
  ["claim", "claim finding statement fact point answer result"],
  [
    "prose",
    "text body summary lead abstract paragraph description content explanation overview introduction conclusion message detail",
  ],
  ["reason", "reason why rationale because justification"],
  ["phrase", "keyword tag term theme phrase entity concept"],
  ["slug", "slug id key"],
  ["count", "count total number amount size"],
  ["confidence", "confidence score probability certainty relevance likelihood rating"],
];

const roleByStem = new Map(
  namesByRole.flatMap(([role, names]) => names.split(" ").map((name) => [toStem(name), role] as const)),
);

/** The words of a property's name: `invoiceNumber`, `invoice_number` and `invoice-number` are the same two. */
export function toNameWords(name: string): string[] {
  return name
    .replaceAll(/(\p{Ll}|\d)(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

const described: readonly (readonly [RegExp, PropertyRole])[] = [
  [/verbatim|\bquot/i, "quote"],
  [/\bquestion/i, "question"],
  [/summar|paragraph|prose|explain/i, "prose"],
  [/\btitle|heading/i, "title"],
];

/** By its last word, which is what it is; else by any other word of it; else by its description. */
export function toRole(name: string, description = ""): PropertyRole {
  for (const word of toNameWords(name).toReversed()) {
    const role = roleByStem.get(toStem(word));
    if (role !== undefined) return role;
  }
  return described.find(([pattern]) => pattern.test(description))?.[1] ?? "other";
}

/** Where the value of a role may come from when a record has no field of the same name, best first. */
export const rolesToTakeFrom: Readonly<Partial<Record<PropertyRole, readonly PropertyRole[]>>> = {
  quote: ["quote"],
  source: ["source"],
  title: ["title", "question", "claim"],
  question: ["question", "title"],
  claim: ["claim", "prose", "quote"],
  prose: ["prose", "claim", "quote"],
  reason: ["reason"],
};
