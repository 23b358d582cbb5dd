import { toCanonicalJson } from "../../base/json.ts";
import { toReference, valueAt, type Values } from "./source.ts";

/** A typed question about values: one comparison, or several joined. Without a value, only `empty` and `not-equal` hold. */
export type Condition =
  | Comparison
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

export interface Comparison {
  /** A reference, as in `$from`. */
  readonly value: string;
  readonly is: Comparator;
  /** What it is compared with; not for `empty` and `not-empty`. */
  readonly to?: string | number | boolean | null;
}

export const comparators = [
  "equal",
  "not-equal",
  "less",
  "at-most",
  "more",
  "at-least",
  "contains",
  "empty",
  "not-empty",
] as const;
export type Comparator = (typeof comparators)[number];

/** Numbers are compared with numbers and texts with texts; a comparison of two kinds does not hold. */
export function holds(condition: Condition, values: Values): boolean {
  if ("all" in condition) return condition.all.every((each) => holds(each, values));
  if ("any" in condition) return condition.any.some((each) => holds(each, values));
  if ("not" in condition) return !holds(condition.not, values);
  return compare(valueAt(toReference(condition.value), values), condition);
}

function compare(value: unknown, { is, to }: Comparison): boolean {
  switch (is) {
    case "equal":
      return value !== undefined && toCanonicalJson(value) === toCanonicalJson(to);
    case "not-equal":
      return value === undefined || toCanonicalJson(value) !== toCanonicalJson(to);
    case "empty":
      return isEmpty(value);
    case "not-empty":
      return !isEmpty(value);
    case "contains":
      if (typeof value === "string") return typeof to === "string" && value.includes(to);
      return Array.isArray(value) && value.some((item) => toCanonicalJson(item) === toCanonicalJson(to));
    case "less":
    case "at-most":
    case "more":
    case "at-least":
      return isInOrder(value, is, to);
  }
}

function isInOrder(value: unknown, is: "less" | "at-most" | "more" | "at-least", to: unknown): boolean {
  const order = compareAlike(value, to);
  if (order === undefined) return false;
  if (is === "less") return order < 0;
  if (is === "at-most") return order <= 0;
  return is === "more" ? order > 0 : order >= 0;
}

function compareAlike(left: unknown, right: unknown): number | undefined {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "string" && typeof right === "string") return left < right ? -1 : left > right ? 1 : 0;
  return undefined;
}

/** Nothing, or something that holds nothing: also an object of which every field, or every list, is empty. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object") return false;
  const parts: readonly unknown[] = Object.values(value);
  const lists = parts.filter(Array.isArray);
  return parts.every(isEmpty) || (lists.length > 0 && lists.every((list) => list.length === 0));
}

export function referencesInCondition(condition: Condition): readonly string[] {
  if ("all" in condition) return condition.all.flatMap(referencesInCondition);
  if ("any" in condition) return condition.any.flatMap(referencesInCondition);
  return "not" in condition ? referencesInCondition(condition.not) : [condition.value];
}

/** In words, for drawings and reasons. */
export function describeCondition(condition: Condition): string {
  if ("all" in condition) return condition.all.map(describeCondition).join(" and ");
  if ("any" in condition) return condition.any.map(describeCondition).join(" or ");
  if ("not" in condition) return `not (${describeCondition(condition.not)})`;
  const { value, is, to } = condition;
  const words = is.replaceAll("-", " ");
  return to === undefined ? `${value} is ${words}` : `${value} is ${words} ${JSON.stringify(to)}`;
}
