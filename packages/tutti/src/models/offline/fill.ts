import { spread, textByRole } from "./evidence.ts";
import { findText, findTexts, toClaim, toEmptyText, toTitle } from "./find-text.ts";
import { findChoice, findFlag, findNumber, toAllowedNumber } from "./find-value.ts";
import { rolesToTakeFrom, toNameWords, toRole, type PropertyRole } from "./property-role.ts";
import {
  fits,
  isObject,
  schemaDepthMax,
  toSchemaNode,
  type FieldsNode,
  type JsonObject,
  type ListNode,
  type SchemaNode,
  type Wanted,
} from "./schema-node.ts";
import { recordListsOf, toRecordScope, toSentenceScope, type Scope } from "./scope.ts";

/** So many items, unless the schema or the material says otherwise. */
const itemsDefault = 4;

/**
 * A value for a JSON Schema, made only from what the scope holds. What is required and not to be found gets the emptiest value
 * that the schema allows: an empty list, a zero, a sentence that says so. Only a pattern that no word of the material has stays unmet:
 * making one up would be a lie.
 */
export function fillSchema(schema: JsonObject, scope: Scope): unknown {
  const node = toSchemaNode(schema);
  scope.shared.disclosed = asksForDisclosure(node, 0);
  return fill(toWanted(node, "answer", 0), scope);
}

/** A value for the schema if everything that it requires was handed in; nothing is made up, not even an empty value. */
export function takeSchema(schema: JsonObject, scope: Scope): JsonObject | undefined {
  const node = toSchemaNode(schema);
  if (node.kind !== "fields") return undefined;
  const taken: Record<string, unknown> = {};
  for (const field of node.fields) {
    const wanted = toWanted(field.node(), field.name, 1);
    const value = take(wanted, scope) ?? takeRecords(wanted, scope);
    if (value !== undefined) taken[field.name] = value;
    else if (field.required) return undefined;
  }
  return Object.keys(taken).length === 0 ? undefined : taken;
}

function toWanted<Node extends SchemaNode>(node: Node, name: string, depth: number): Wanted<Node> {
  return { node, name, description: node.description, depth };
}

function fill(wanted: Wanted, scope: Scope): unknown {
  return find(wanted, scope) ?? toEmpty(wanted, scope);
}

/** `undefined` when the material has nothing for it. */
function find(wanted: Wanted, scope: Scope): unknown {
  const { node, name, depth } = wanted;
  if (depth > schemaDepthMax) return undefined;
  const taken = depth === 0 ? undefined : take(wanted, scope);
  if (taken !== undefined) return taken;
  switch (node.kind) {
    case "fixed":
      return node.value;
    case "nothing":
      return null;
    case "choice":
      return findChoice(node.options, scope);
    case "flag":
      return findFlag(name, scope);
    case "number":
      return findNumber({ ...wanted, node }, scope);
    case "text":
      return findText({ ...wanted, node }, scope);
    case "anything":
      return scope.answering[0]?.text;
    case "list":
      return findList({ ...wanted, node }, scope);
    case "fields":
      return findFields({ ...wanted, node }, scope);
    case "either":
      return findBranch(
        wanted,
        node.branches.map((branch) => branch()),
        scope,
      );
  }
}

/** A value of the same name, or of the same role, that was handed in. */
function take({ node, name, description }: Wanted, scope: Scope): unknown {
  const words = toNameWords(name).join(" ");
  for (const [other, value] of Object.entries(scope.own)) {
    if (toNameWords(other).join(" ") === words && fits(node, value)) return project(node, value);
  }
  if (node.kind !== "text") return undefined;
  const wantedRole = toRole(name, description);
  for (const role of rolesToTakeFrom[wantedRole] ?? []) {
    for (const [other, value] of Object.entries(scope.own)) {
      if (typeof value !== "string" || value === "" || toRole(other) !== role) continue;
      const text =
        wantedRole === "title" ? toTitle(value) : role === "quote" && wantedRole !== "quote" ? toClaim(value) : value;
      if (fits(node, text)) return text;
    }
  }
  return undefined;
}

// Only what the schema names: whoever asked may refuse more.
function project(node: SchemaNode, value: unknown): unknown {
  if (node.kind === "list" && Array.isArray(value)) return value.map((item: unknown) => project(node.item(), item));
  if (node.kind !== "fields" || !isObject(value)) return value;
  const named = node.fields.filter((field) => value[field.name] !== undefined);
  return Object.fromEntries(named.map((field) => [field.name, project(field.node(), value[field.name])]));
}

function findFields({ node, depth }: Wanted<FieldsNode>, scope: Scope): JsonObject | undefined {
  const filled: Record<string, unknown> = {};
  let found = 0;
  for (const field of node.fields) {
    const wanted = toWanted(field.node(), field.name, depth + 1);
    const value = find(wanted, scope);
    if (value !== undefined) {
      filled[field.name] = value;
      found += 1;
    } else if (field.required) filled[field.name] = toEmpty(wanted, scope);
  }
  return found === 0 ? undefined : filled;
}

function findBranch({ name, depth }: Wanted, branches: readonly SchemaNode[], scope: Scope): unknown {
  const possible = branches.filter((branch) => branch.kind !== "nothing");
  // Branches that are told apart by a word ("answer" or "nothing found") are options to decide between.
  const words = possible.map((branch) => {
    const word =
      branch.kind === "fields"
        ? branch.fields.map((field) => field.node()).find((part) => part.kind === "fixed")
        : undefined;
    return word?.value;
  });
  const toldApart = words.length > 1 && words.every((word) => typeof word === "string");
  const chosen: unknown = toldApart ? (findChoice(words, scope) ?? toHonestOption(words)) : words[0];
  const branch =
    possible[
      Math.max(
        0,
        words.findIndex((word) => word === chosen),
      )
    ];
  return branch === undefined ? undefined : find(toWanted(branch, name, depth + 1), scope);
}

function findList({ node, name, depth }: Wanted<ListNode>, scope: Scope): unknown[] | undefined {
  if (node.first.length > 0) return node.first.map((part) => fill(toWanted(part(), name, depth + 1), scope));
  const item = toWanted(node.item(), name, depth + 1);
  const items = toItems(item, node, scope);
  const distinct =
    node.unique || item.node.kind === "text"
      ? [...new Map(items.map((value) => [JSON.stringify(value), value])).values()]
      : items;
  if (distinct.length === 0) return undefined;
  while (distinct.length < node.min) distinct.push(toEmpty(item, scope));
  return distinct.slice(0, node.max);
}

function toItems(item: Wanted, list: ListNode, scope: Scope): unknown[] {
  const { node } = item;
  const limit = Math.min(list.max, Math.max(list.min, itemsDefault));
  if (node.kind === "fields") {
    const records = findRecords({ ...item, node }, scope, isMaterial);
    if (records !== undefined) {
      const fresh = records.filter((record) => isFresh(record, scope));
      return fresh.slice(0, list.max).map((record) => fill(item, toRecordScope(record, scope)));
    }
    return spread(scope.answering, limit).map((sentence) => fill(item, toSentenceScope(sentence, scope)));
  }
  if (node.kind === "text") return findTexts({ ...item, node }, scope, limit);
  if (node.kind === "choice") return node.options.filter((option) => findChoice([option], scope) !== undefined);
  const one = find(item, scope);
  return one === undefined ? [] : [one];
}

// The same quote may have been found for two questions; it is printed once.
function isFresh(record: JsonObject, scope: Scope): boolean {
  const quote = textByRole(record, "quote");
  if (quote === "") return true;
  const fresh = !scope.shared.quoted.has(quote);
  scope.shared.quoted.add(quote);
  return fresh;
}

/** The list that was handed in whose records say most of what an item needs. */
function findRecords(
  { node, name }: Wanted<FieldsNode>,
  scope: Scope,
  leaveOut: (record: JsonObject) => boolean,
): JsonObject[] | undefined {
  let best: { readonly records: JsonObject[]; readonly overlap: number } | undefined;
  for (const list of recordListsOf(scope.own)) {
    const first = list.records[0] ?? {};
    if (leaveOut(first)) continue;
    const overlaps = node.fields.map((field) => {
      if (first[field.name] !== undefined) return 1;
      return isLike(field.node(), toRole(field.name), first) ? 0.5 : 0;
    });
    const sameName = toNameWords(list.name).join() === toNameWords(name).join() ? 2 : 0;
    const overlap = overlaps.reduce<number>((sum, part) => sum + part, sameName);
    if (overlap > (best?.overlap ?? 0)) best = { records: list.records, overlap };
  }
  return best?.records;
}

// A passage is something to find answers in; it is not an answer.
function isMaterial(record: JsonObject): boolean {
  const names = Object.keys(record).filter((name) => typeof record[name] === "string");
  return (
    names.some((name) => /(?:passage|snippet|content|body|page|context|text|document)$/i.test(name)) &&
    !names.some((name) => toRole(name) === "quote")
  );
}

// A text of a role that may stand in for the wanted one, or a list of records for a list of records.
function isLike(node: SchemaNode, role: PropertyRole, record: JsonObject): boolean {
  if (node.kind === "list" && node.item().kind === "fields")
    return Object.values(record).some((value) => Array.isArray(value) && value.some(isObject));
  if (node.kind !== "text") return false;
  const roles = rolesToTakeFrom[role] ?? [];
  return Object.entries(record).some(([name, value]) => typeof value === "string" && roles.includes(toRole(name)));
}

function takeRecords({ node, name, depth }: Wanted, scope: Scope): unknown[] | undefined {
  if (node.kind !== "list") return undefined;
  const item = node.item();
  if (item.kind !== "fields") return undefined;
  const records = (findRecords(toWanted(item, name, depth + 1), scope, () => false) ?? []).filter((record) =>
    fits(item, record),
  );
  return records.length < Math.max(1, node.min)
    ? undefined
    : records.slice(0, node.max).map((record) => project(item, record));
}

/** The emptiest value that the schema allows. */
function toEmpty(wanted: Wanted, scope: Scope): unknown {
  const { node, name, depth } = wanted;
  const inner = (part: SchemaNode, partName = name): unknown => toEmpty(toWanted(part, partName, depth + 1), scope);
  const tooDeep = depth > schemaDepthMax;
  switch (node.kind) {
    case "fixed":
      return node.value;
    case "nothing":
    case "anything":
      return null;
    case "choice":
      return toHonestOption(node.options);
    case "flag":
      return false;
    case "number":
      return toAllowedNumber(0, node);
    case "text":
      return toEmptyText({ ...wanted, node }, scope.shared);
    case "list": {
      const more = tooDeep ? 0 : Math.max(0, node.min - node.first.length);
      return [...node.first.map((part) => inner(part())), ...Array.from({ length: more }, () => inner(node.item()))];
    }
    case "fields": {
      const required = tooDeep ? [] : node.fields.filter((field) => field.required);
      return Object.fromEntries(required.map((field) => [field.name, inner(field.node(), field.name)]));
    }
    case "either": {
      const branches = node.branches.map((branch) => branch());
      const nothing = branches.find((branch) => branch.kind === "nothing");
      const honest = branches.find(
        (branch) => branch.kind === "fields" && branch.fields.some((field) => isHonest(field.node())),
      );
      const branch = nothing ?? honest ?? branches[0];
      return branch === undefined || tooDeep ? null : inner(branch);
    }
  }
}

// "I don't know" is more honest than "no".
const honestWords = [
  /^(?:unknown|unclear|undecided|unanswered|not[ _-]?found|nothing(?:[ _-]found)?|insufficient.*|n\/?a|not[ _-]?applicable|missing)$/i,
  /^(?:none|no|other|empty|absent)$/i,
] as const;

function isHonest(node: SchemaNode): boolean {
  const value = node.kind === "fixed" ? node.value : undefined;
  return typeof value === "string" && honestWords.some((words) => words.test(value));
}

/** The option that says "I don't know", else the first. */
function toHonestOption(options: readonly unknown[]): unknown {
  const found = honestWords.map((words) =>
    options.find((option) => option === null || (typeof option === "string" && words.test(option))),
  );
  return found.find((option) => option !== undefined) ?? options[0];
}

function asksForDisclosure(node: SchemaNode, depth: number): boolean {
  if (depth > 3 || node.kind !== "fields") return false;
  return node.fields.some((field) => {
    const part = field.node();
    return (part.kind === "text" && toRole(field.name) === "disclosure") || asksForDisclosure(part, depth + 1);
  });
}
