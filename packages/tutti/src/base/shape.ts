/**
 * Checks for values that come from a file, a socket or a database, where importing a schema library would cost more than
 * the whole core (decisions/002). Users' own schemas are Standard Schemas, see contracts/schema.ts.
 */
export type Shape<Value> = (value: unknown, path: string) => Value;

export type ShapeOf<Some> = Some extends Shape<infer Value> ? Value : never;

export class ShapeError extends Error {
  constructor(path: string, wanted: string, got: unknown) {
    super(`${path === "" ? "the value" : path} should be ${wanted}, not ${describe(got)}`);
    this.name = "ShapeError";
  }
}

// Texts may be secret or long; numbers and lengths say what is wrong.
function describe(got: unknown): string {
  if (got === null) return "null";
  if (Array.isArray(got)) return `a list of ${got.length}`;
  return typeof got === "number" ? String(got) : typeof got;
}

export const text: Shape<string> = (value, path) => {
  if (typeof value === "string") return value;
  throw new ShapeError(path, "text", value);
};

export const integer: Shape<number> = (value, path) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the shape in these lines
  if (Number.isSafeInteger(value)) return value as number;
  throw new ShapeError(path, "a whole number", value);
};

export const decimal: Shape<number> = (value, path) => {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new ShapeError(path, "a number", value);
};

export const flag: Shape<boolean> = (value, path) => {
  if (typeof value === "boolean") return value;
  throw new ShapeError(path, "true or false", value);
};

/** Anything that JSON can hold. */
export const anything: Shape<unknown> = (value) => value;

/** A brand on top of a shape: the caller vouches that every such value may carry it. */
export function branded<Value, Brand extends Value>(shape: Shape<Value>): Shape<Brand> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the shape in these lines
  return (value, path) => shape(value, path) as Brand;
}

export function oneOf<const Words extends readonly string[]>(...words: Words): Shape<Words[number]> {
  return (value, path) => {
    if (typeof value === "string" && words.includes(value)) return value;
    throw new ShapeError(path, `one of ${words.join(", ")}`, value);
  };
}

export function listOf<Item>(item: Shape<Item>): Shape<readonly Item[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(path, "a list", value);
    return value.map((entry, index) => item(entry, `${path}[${index}]`));
  };
}

/** An object that is no list, as it is. */
export const object: Shape<Readonly<Record<string, unknown>>> = (value, path) => {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the shape in these lines
    return value as Readonly<Record<string, unknown>>;
  throw new ShapeError(path, "an object", value);
};

export function recordOf<Item>(item: Shape<Item>): Shape<Readonly<Record<string, Item>>> {
  return (value, path) => {
    const source = object(value, path);
    return Object.fromEntries(Object.entries(source).map(([name, entry]) => [name, item(entry, `${path}.${name}`)]));
  };
}

/** Required fields, then optional ones. Fields that are not named are dropped, so that a newer writer can add some. */
export function fields<Required extends Fields>(required: Required): Shape<AllOf<Required>>;
export function fields<Required extends Fields, Optional extends Fields>(
  required: Required,
  optional: Optional,
): Shape<AllOf<Required> & SomeOf<Optional>>;
export function fields(required: Fields, optional: Fields = {}): Shape<unknown> {
  let plan: FieldPlan | undefined; // most shapes of a program are never used
  return (value, path) => {
    plan ??= toFieldPlan(required, optional);
    const { requiredList, optionalByName, blank } = plan;
    const source = object(value, path);
    const result: Record<string, unknown> = { ...blank };
    const before = path === "" ? "" : `${path}.`;
    requiredList.forEach(({ name, shape }) => {
      result[name] = shape(source[name], before + name);
    });
    // Most shapes name many optional fields, and most values have few of them.
    for (const name in source) {
      const shape = optionalByName.get(name);
      if (shape !== undefined && source[name] !== undefined) result[name] = shape(source[name], before + name);
    }
    return result;
  };
}

interface FieldPlan {
  readonly requiredList: readonly { readonly name: string; readonly shape: Shape<unknown> }[];
  readonly optionalByName: ReadonlyMap<string, Shape<unknown>>;
  /** Copied, because an object that grows field by field is moved again and again. */
  readonly blank: Readonly<Record<string, unknown>>;
}

function toFieldPlan(required: Fields, optional: Fields): FieldPlan {
  const requiredList = Object.entries(required).map(([name, shape]) => ({ name, shape }));
  const blank = Object.fromEntries(requiredList.map(({ name }) => [name, undefined]));
  return { requiredList, optionalByName: new Map(Object.entries(optional)), blank };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type AllOf<Some extends Fields> = { readonly [Name in keyof Some]: ShapeOf<Some[Name]> };
type SomeOf<Some extends Fields> = { readonly [Name in keyof Some]?: ShapeOf<Some[Name]> };
