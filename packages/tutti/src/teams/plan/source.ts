/**
 * Plain JSON in which `{ "$from": "research.findings.0" }` stands for a value: of the plan's `input`, of another task by its id, of `last`, by path.
 * `or` stands in where there is none.
 */
export type Source = unknown;

/** A place in a plan's data: `research.findings.0` is the first finding of the task `research`. */
export interface Reference {
  readonly root: string;
  readonly path: readonly string[];
}

export function toReference(text: string): Reference {
  const [root = "", ...path] = text.split(".");
  return { root, path };
}

/** What references are resolved against: the values by their root. A root without a value gives nothing. */
export type Values = (root: string) => unknown;

/** The value at a place; `undefined` when there is none. */
export function valueAt(reference: Reference, values: Values): unknown {
  let value = values(reference.root);
  for (const name of reference.path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has a field of this name
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** An object that stands for a value elsewhere. */
export interface FromElsewhere {
  readonly $from: string;
  readonly or?: Source;
}

export function isFromElsewhere(source: unknown): source is FromElsewhere {
  return typeof source === "object" && source !== null && "$from" in source && typeof source.$from === "string";
}

export type Resolved =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "missing"; readonly reference: string };

/** The source with every reference replaced by its value. Values are handed on as they are, so that the ledger can say where they came from. */
export function resolveSource(source: Source, values: Values): Resolved {
  if (isFromElsewhere(source)) {
    const value = valueAt(toReference(source.$from), values);
    if (value !== undefined) return { kind: "value", value };
    return "or" in source ? resolveSource(source.or, values) : { kind: "missing", reference: source.$from };
  }
  if (typeof source !== "object" || source === null) return { kind: "value", value: source };
  const entries: [string, unknown][] = [];
  for (const [name, part] of Object.entries(source)) {
    const resolved = resolveSource(part, values);
    if (resolved.kind === "missing") return resolved;
    entries.push([name, resolved.value]);
  }
  return {
    kind: "value",
    value: Array.isArray(source) ? entries.map(([, value]) => value) : Object.fromEntries(entries),
  };
}

/** Every reference in a source; `needed` when nothing stands in for it. */
export function referencesIn(source: Source): readonly { readonly text: string; readonly needed: boolean }[] {
  if (isFromElsewhere(source))
    return [
      { text: source.$from, needed: !("or" in source) },
      ...("or" in source ? referencesIn(source.or).map((each) => ({ ...each, needed: false })) : []),
    ];
  if (typeof source !== "object" || source === null) return [];
  return Object.values(source).flatMap(referencesIn);
}
