import { z } from "zod";

export const Terms = z.object({
  client: z.string(),
  startsOn: z.string(),
  monthlyFeeEur: z.number(),
  noticeDays: z.number(),
  renews: z.boolean(),
});
export type Terms = z.infer<typeof Terms>;

export const Clause = z.object({ quote: z.string(), reason: z.string() });
export type Clause = z.infer<typeof Clause>;

/** One way of reading a contract. */
export interface Reader {
  terms(text: string): Terms;
  /** The sentence that says how the contract can be ended. */
  clause(text: string): Clause;
}

/** Takes the first thing that looks right, numbers as the English write them, dates day first. */
export const literal: Reader = {
  terms: (text) => ({
    client: findLabel(text, "Client"),
    startsOn: toDate(all(text, dates)[0], "day-first"),
    monthlyFeeEur: toEnglishNumber(all(text, fees)[0] ?? ""),
    noticeDays: toCount(all(text, notices)[0]),
    renews: /\brenews\b/u.test(text),
  }),
  clause: (text) => ({ quote: linesOf(text).find(isAboutNotice) ?? "", reason: "It is the first line about notice." }),
};

/** Takes the last thing that looks right: what is written later replaces what stands before. */
export const latest: Reader = {
  terms: (text) => ({
    client: findLabel(text, "Client"),
    startsOn: toDate(all(text, dates).at(-1), "month-first"),
    monthlyFeeEur: toGermanNumber(all(text, fees).at(-1) ?? ""),
    noticeDays: toCount(all(text, notices).at(-1)),
    renews: !/not renew/u.test(text),
  }),
  clause: (text) => ({
    quote: linesOf(text).findLast(isAboutNotice) ?? "",
    reason: "It is the last line about notice.",
  }),
};

/** Believes only what has a label and a colon. */
export const labelled: Reader = {
  terms: (text) => ({
    client: findLabel(text, "Client"),
    startsOn: findLabel(text, "Effective date"),
    monthlyFeeEur: toGermanNumber(findLabel(text, "Monthly fee")),
    noticeDays: toCount(findLabel(text, "Notice")),
    renews: !/not renew/u.test(text),
  }),
  clause: (text) => ({ quote: linesOf(text).find((line) => /Notice:/u.test(line)) ?? "", reason: "It is labelled." }),
};

const dates = /\d{4}-\d{2}-\d{2}|\d{2}\/\d{2}\/\d{4}/gu;
const fees = /[\d.,]+(?= EUR)/gu;
const notices = /\d+(?= days)/gu;

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([found]) => found);
}

function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim());
}

function isAboutNotice(line: string): boolean {
  return /notice/iu.test(line) && /\d+ days/u.test(line);
}

function findLabel(text: string, label: string): string {
  return new RegExp(`${label}: *(.+)`, "u").exec(text)?.[1]?.trim() ?? "";
}

function toCount(found: string | undefined): number {
  return Number(/\d+/u.exec(found ?? "")?.[0] ?? 0);
}

function toEnglishNumber(found: string): number {
  return Number(found.replaceAll(",", ""));
}

function toGermanNumber(found: string): number {
  return Number(
    /[\d.,]+/u
      .exec(found)?.[0]
      ?.replaceAll(/[.](?=\d{3})/gu, "")
      .replace(",", ".") ?? 0,
  );
}

function toDate(found = "", order: "day-first" | "month-first"): string {
  const [, first, second, year] = /^(\d{2})\/(\d{2})\/(\d{4})$/u.exec(found) ?? [];
  if (first === undefined) return found;
  return order === "day-first" ? `${year}-${second}-${first}` : `${year}-${first}-${second}`;
}
