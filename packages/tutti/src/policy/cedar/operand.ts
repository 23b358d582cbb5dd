import { CedarSet, Entity, type CedarValue } from "./value.ts";

/**
 * Where Cedar reports an error of evaluation: a type that does not fit, a field that is not there, an overflow.
 * Made once and thrown many times, because a new one costs more than all the rest of a decision.
 */
export class CedarFault extends Error {}

const noFlag = new CedarFault("true or false was expected");
const noText = new CedarFault("a text was expected");
const noEntity = new CedarFault("an entity was expected");
const noGroup = new CedarFault("a set was expected");
const noNumber = new CedarFault("a number was expected");
const overflow = new CedarFault("a number is out of range");

export function toFlag(value: CedarValue): boolean {
  if (typeof value === "boolean") return value;
  throw noFlag;
}

export function toText(value: CedarValue): string {
  if (typeof value === "string") return value;
  throw noText;
}

export function toEntity(value: CedarValue): Entity {
  if (value instanceof Entity) return value;
  throw noEntity;
}

export function toGroup(value: CedarValue): CedarSet {
  if (value instanceof CedarSet) return value;
  throw noGroup;
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
  throw noNumber;
}

const longMax = 2n ** 63n - 1n;

/** Cedar's numbers have 64 bits; what is outside is an error, and never another number. */
function toLong(exact: bigint): number | bigint {
  if (exact > longMax || exact < -longMax - 1n) throw overflow;
  const plain = Number(exact);
  return Number.isSafeInteger(plain) ? plain : exact;
}
