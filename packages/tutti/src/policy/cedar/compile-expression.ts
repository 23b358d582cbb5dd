import { anything, fields, listOf, oneOf, recordOf, text } from "../../base/shape.ts";
import { add, compare, CedarFault, multiply, negate, subtract, toFlag, toGroup, toEntity, toText } from "./operand.ts";
import {
  CedarRecord,
  CedarSet,
  Entity,
  findKnown,
  isEqual,
  isIn,
  type CedarValue,
  type KnownEntity,
  type Query,
} from "./value.ts";

/** Computes a part of a rule. @throws CedarFault where Cedar reports an error */
export type Compiled = (query: Query) => CedarValue;

/** The expression is not of the kinds that are compiled; Cedar itself has to evaluate it. */
export class OutsideSubset extends Error {}

const pair = fields({ left: anything, right: anything });
const single = fields({ arg: anything });
const oneEntity = fields({ type: text, id: text });
const attribute = fields({ left: anything, attr: anything });
const members = recordOf(anything);
const likeness = fields({ left: anything, pattern: listOf(anything) });
const typeTest = fields({ left: anything, entity_type: text }, { in: anything });
const variable = oneOf("principal", "action", "resource", "context");
const literal = fields({ Literal: text });

/** Nested deeper, a rule is left to Cedar. */
const depthMax = 500;

/** @throws OutsideSubset, ShapeError for what has not the form of Cedar's JSON */
export function compileExpression(json: unknown, depth = 0): Compiled {
  const [found, ...more] = Object.entries(members(json, "expression"));
  if (found === undefined || more.length > 0 || depth > depthMax) throw new OutsideSubset("form");
  const [kind, body] = found;
  const compile = operators.get(kind);
  if (compile === undefined) throw new OutsideSubset(kind);
  return compile(body, (inner) => compileExpression(inner, depth + 1));
}

/** `Tutti::Role::"finance"`, as it stands in Cedar's JSON. */
export function readEntity(json: unknown): Entity {
  const { type, id } = oneEntity(json, "entity");
  return new Entity(type, id);
}

type Inner = (json: unknown) => Compiled;
type Operator = (body: unknown, inner: Inner) => Compiled;

const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["Value", (body) => toConstant(readLiteral(body))],
  ["Var", (body) => variables[variable(body, "Var")]],
  ["!", unary((value) => !toFlag(value))],
  ["neg", unary(negate)],
  ["isEmpty", unary((value) => toGroup(value).items.length === 0)],
  ["&&", binary((left, right) => (query) => toFlag(left(query)) && toFlag(right(query)))],
  ["||", binary((left, right) => (query) => toFlag(left(query)) || toFlag(right(query)))],
  ["==", strict(isEqual)],
  ["!=", strict((left, right) => !isEqual(left, right))],
  ["<", strict((left, right) => compare(left, right) < 0)],
  ["<=", strict((left, right) => compare(left, right) <= 0)],
  [">", strict((left, right) => compare(left, right) > 0)],
  [">=", strict((left, right) => compare(left, right) >= 0)],
  ["+", strict(add)],
  ["-", strict(subtract)],
  ["*", strict(multiply)],
  ["contains", strict((left, right) => toGroup(left).has(right))],
  ["containsAll", strict((left, right) => holdsAll(toGroup(left), toGroup(right)))],
  ["containsAny", strict((left, right) => holdsAny(toGroup(left), toGroup(right)))],
  ["in", binary((left, right) => (query) => isAmong(query, left(query), right(query)))],
  [".", compileAttribute],
  ["has", compilePresence],
  ["like", compileLike],
  ["is", compileTypeTest],
  ["if-then-else", compileChoice],
  ["Set", compileSet],
  ["Record", compileRecord],
]);

const variables: Readonly<Record<"principal" | "action" | "resource" | "context", Compiled>> = {
  principal: (query) => query.principal.entity,
  action: (query) => query.action,
  resource: (query) => query.resource.entity,
  context: (query) => query.context,
};

function toConstant(value: CedarValue): Compiled {
  return () => value;
}

function readLiteral(json: unknown): CedarValue {
  if (typeof json === "boolean" || typeof json === "string") return json;
  // A larger number has lost digits on its way through JSON.
  if (typeof json === "number" && Number.isSafeInteger(json)) return json;
  if (typeof json === "object") return readEntity(members(json, "value")["__entity"]);
  throw new OutsideSubset("literal");
}

function unary(compute: (value: CedarValue) => CedarValue): Operator {
  return (body, inner) => {
    const of = inner(single(body, "operand").arg);
    return (query) => compute(of(query));
  };
}

function binary(combine: (left: Compiled, right: Compiled) => Compiled): Operator {
  return (body, inner) => {
    const { left, right } = pair(body, "operands");
    return combine(inner(left), inner(right));
  };
}

/** Both sides are computed, the left one first. */
function strict(compute: (left: CedarValue, right: CedarValue) => CedarValue): Operator {
  return binary((left, right) => (query) => compute(left(query), right(query)));
}

function holdsAll(left: CedarSet, right: CedarSet): boolean {
  return right.items.every((item) => left.has(item));
}

function holdsAny(left: CedarSet, right: CedarSet): boolean {
  return right.items.some((item) => left.has(item));
}

function isAmong(query: Query, left: CedarValue, right: CedarValue): boolean {
  const entity = toEntity(left);
  if (!(right instanceof CedarSet)) return isIn(query, entity, toEntity(right));
  return right.items.map(toEntity).some((group) => isIn(query, entity, group)); // one that is no entity is an error, found or not
}

function compileAttribute(body: unknown, inner: Inner): Compiled {
  const { left, attr } = attribute(body, "attribute");
  const of = compileOwner(left, inner);
  const name = text(attr, "attribute");
  const missing = new CedarFault(`there is no "${name}"`);
  return (query) => {
    const value = of(query)?.get(name);
    if (value !== undefined) return value;
    throw missing;
  };
}

/** `context has a.b` says that there is an `a`, and a `b` in it. */
function compilePresence(body: unknown, inner: Inner): Compiled {
  const { left, attr } = attribute(body, "has");
  const of = compileOwner(left, inner);
  const [name = "", ...names] = Array.isArray(attr) ? listOf(text)(attr, "has") : [text(attr, "has")];
  return (query) => {
    let value = of(query)?.get(name);
    for (const next of names) {
      if (value === undefined) return false;
      value = findFields(query, value)?.get(next);
    }
    return value !== undefined;
  };
}

/** What an attribute is looked up in. Of the three that are asked about it is at hand, without a look at which entity it is. */
function compileOwner(json: unknown, inner: Inner): (query: Query) => CedarRecord | undefined {
  const of = inner(json);
  if (of === variables.principal) return (query) => query.principal.attributes;
  if (of === variables.resource) return (query) => query.resource.attributes;
  if (of === variables.context) return (query) => query.context;
  return (query) => findFields(query, of(query));
}

function findFields(query: Query, owner: CedarValue): CedarRecord | undefined {
  if (owner instanceof CedarRecord) return owner;
  const known: KnownEntity | undefined = findKnown(query, toEntity(owner));
  return known?.attributes;
}

function compileLike(body: unknown, inner: Inner): Compiled {
  const { left, pattern } = likeness(body, "like");
  const of = inner(left);
  const [first = "", ...rest] = splitPattern(pattern);
  const last = rest.pop();
  if (last === undefined) return (query) => toText(of(query)) === first;
  return (query) => isLike(toText(of(query)), { first, rest, last });
}

/** The texts between the wildcards; one text alone has no wildcard. */
function splitPattern(pattern: readonly unknown[]): readonly string[] {
  const parts = [""];
  for (const element of pattern) {
    if (element === "Wildcard") parts.push("");
    else parts.push(`${parts.pop() ?? ""}${literal(element, "pattern").Literal}`);
  }
  return parts;
}

interface Likeness {
  readonly first: string;
  readonly rest: readonly string[];
  readonly last: string;
}

// Taking the first place for each part is enough, and can't be made slow by the text, as a regular expression can.
function isLike(whole: string, { first, rest, last }: Likeness): boolean {
  const end = whole.length - last.length;
  if (end < first.length || !whole.startsWith(first) || !whole.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = whole.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return from <= end;
}

function compileTypeTest(body: unknown, inner: Inner): Compiled {
  const { left, entity_type: type, in: group } = typeTest(body, "is");
  const of = inner(left);
  const groupOf = group === undefined ? undefined : inner(group);
  return (query) => {
    const entity = toEntity(of(query));
    return entity.type === type && (groupOf === undefined || isAmong(query, entity, groupOf(query)));
  };
}

function compileChoice(body: unknown, inner: Inner): Compiled {
  const parts = members(body, "if");
  const [when, yes, no] = [inner(parts["if"]), inner(parts["then"]), inner(parts["else"])];
  return (query) => (toFlag(when(query)) ? yes(query) : no(query));
}

function compileSet(body: unknown, inner: Inner): Compiled {
  const written = listOf(fields({}, { Value: anything }))(body, "set");
  const literals = written.flatMap(({ Value }) => (Value === undefined ? [] : [readLiteral(Value)]));
  if (literals.length === written.length) return toConstant(new CedarSet(literals)); // the same for every request
  const items = listOf(anything)(body, "set").map(inner);
  return (query) => new CedarSet(items.map((item) => item(query)));
}

function compileRecord(body: unknown, inner: Inner): Compiled {
  const items = Object.entries(members(body, "record")).map(([name, item]) => [name, inner(item)] as const);
  return (query) => new CedarRecord(Object.fromEntries(items.map(([name, item]) => [name, item(query)])));
}
