import * as shapes from "../../base/shape.ts";
import type { Shape } from "../../base/shape.ts";

/** JSON Schema, draft 2020-12, as far as the interface needs it. */
export interface JsonSchema {
  readonly type?: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly enum?: readonly string[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
}

/**
 * What a value of the interface looks like, said once: TypeScript takes its type from it, both sides check values with `shape`, and the OpenAPI
 * document shows `schema`. A reader drops fields that it does not know, so that a newer server may send more.
 */
export interface Described<Value> {
  readonly shape: Shape<Value>;
  readonly schema: JsonSchema;
}

export type ValueOf<Some> = Some extends Described<infer Value> ? Value : never;

export const text: Described<string> = { shape: shapes.text, schema: { type: "string" } };
export const flag: Described<boolean> = { shape: shapes.flag, schema: { type: "boolean" } };
export const integer: Described<number> = { shape: shapes.integer, schema: { type: "integer" } };
export const decimal: Described<number> = { shape: shapes.decimal, schema: { type: "number" } };
/** Any JSON. */
export const anything: Described<unknown> = { shape: shapes.anything, schema: {} };

export function integerFrom(minimum: number, maximum: number): Described<number> {
  return {
    schema: { type: "integer", minimum, maximum },
    shape(value, path) {
      const number = shapes.integer(value, path);
      if (number >= minimum && number <= maximum) return number;
      throw new shapes.ShapeError(path, `from ${minimum} to ${maximum}`, value);
    },
  };
}

export function oneOf<const Words extends readonly string[]>(...words: Words): Described<Words[number]> {
  return { shape: shapes.oneOf(...words), schema: { type: "string", enum: words } };
}

export function listOf<Item>(item: Described<Item>): Described<readonly Item[]> {
  return { shape: shapes.listOf(item.shape), schema: { type: "array", items: item.schema } };
}

export function recordOf<Item>(item: Described<Item>): Described<Readonly<Record<string, Item>>> {
  return { shape: shapes.recordOf(item.shape), schema: { type: "object", additionalProperties: item.schema } };
}

type Parts = Readonly<Record<string, Described<unknown>>>;
type Required<Some extends Parts> = { readonly [Name in keyof Some]: ValueOf<Some[Name]> };
type Optional<Some extends Parts> = { readonly [Name in keyof Some]?: ValueOf<Some[Name]> | undefined };
/** An object as an editor shows it: one list of members. */
type Plain<Some> = { readonly [Name in keyof Some]: Some[Name] };

/** Required fields, then optional ones. */
export function fields<Given extends Parts>(required: Given): Described<Plain<Required<Given>>>;
export function fields<Given extends Parts, Perhaps extends Parts>(
  required: Given,
  optional: Perhaps,
): Described<Plain<Required<Given> & Optional<Perhaps>>>;
export function fields(required: Parts, optional: Parts = {}): Described<unknown> {
  const toShapes = (parts: Parts): Readonly<Record<string, Shape<unknown>>> =>
    Object.fromEntries(Object.entries(parts).map(([name, { shape }]) => [name, shape]));
  const properties = Object.fromEntries(
    Object.entries({ ...required, ...optional }).map(([name, { schema }]) => [name, schema]),
  );
  return {
    shape: shapes.fields(toShapes(required), toShapes(optional)),
    schema: { type: "object", properties, required: Object.keys(required), additionalProperties: false },
  };
}
