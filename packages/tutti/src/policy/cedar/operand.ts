import { CedarSet, Entity, type CedarValue } from "./value.ts";

/** Where Cedar reports an error of evaluation: a type that does not fit, a field that is not there, an overflow. */
export class CedarFault extends Error {}

export function toFlag(value: CedarValue): boolean {
  if (typeof value === "boolean") return value;
  throw unfit("true or false", value);
}

export function toText(value: CedarValue): string {
  if (typeof value === "string") return value;
  throw unfit("a text", value);
}

export function toEntity(value: CedarValue): Entity {
  if (value instanceof Entity) return value;
  throw unfit("an entity", value);
}

export function toGroup(value: CedarValue): CedarSet {
  if (value instanceof CedarSet) return value;
  throw unfit("a set", value);
}

/** Below, at or above 0, as the left number is below, at or above the right one. */
export function compare(left: CedarValue, right: CedarValue): number {
  const [first, second] = [toNumber(left), toNumber(right)];
  return first < second ? -1 : first > second ? 1 : 0;
}

export function add(left: CedarValue, right: CedarValue): CedarValue {
  const [first, second] = [toNumber(left), toNumber(right)];
  const quick = Number(first) + Number(second);
  return Number.isSafeInteger(quick) ? quick : toLong(BigInt(first) + BigInt(second));
}

export function subtract(left: CedarValue, right: CedarValue): CedarValue {
  const [first, second] = [toNumber(left), toNumber(right)];
  const quick = Number(first) - Number(second);
  return Number.isSafeInteger(quick) ? quick : toLong(BigInt(first) - BigInt(second));
}

export function multiply(left: CedarValue, right: CedarValue): CedarValue {
  const [first, second] = [toNumber(left), toNumber(right)];
  const quick = Number(first) * Number(second);
  return Number.isSafeInteger(quick) ? quick : toLong(BigInt(first) * BigInt(second));
}

export function negate(value: CedarValue): CedarValue {
  return toLong(-BigInt(toNumber(value)));
}

function toNumber(value: CedarValue): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw unfit("a number", value);
}

const longMax = 2n ** 63n - 1n;

/** Cedar's numbers have 64 bits; what is outside is an error, and never another number. */
function toLong(exact: bigint): number | bigint {
  if (exact > longMax || exact < -longMax - 1n) throw new CedarFault("a number is out of range");
  const plain = Number(exact);
  return Number.isSafeInteger(plain) ? plain : exact;
}

function unfit(wanted: string, value: CedarValue): CedarFault {
  const got = value instanceof Entity ? value.type : value instanceof CedarSet ? "a set" : `a ${typeof value}`;
  return new CedarFault(`${wanted} was expected, not ${got}`);
}
