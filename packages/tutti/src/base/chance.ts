import { randomFillSync } from "node:crypto";

/** Chance as an argument: a number in [0, 1). */
export type Chance = () => number;

export const systemChance: Chance = () => Math.random();

/** A version 4 UUID (RFC 9562) made from the given chance. */
export function toUuid(chance: Chance): string {
  let hex = "";
  for (let index = 0; index < 32; index++) {
    const digit = Math.floor(chance() * 16);
    if (index === 12) hex += "4";
    else if (index === 16) hex += "89ab".charAt(digit & 3);
    else hex += digit.toString(16);
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const idDigits = 10;

// Asking the system takes longer than all the rest, so bytes for many ids are drawn at once.
const drawn = new Uint8Array(100 * idDigits);
let used = drawn.length;

/** A short id that people can read aloud: 10 digits of Crockford's base 32, 50 bits from the system's secure source. */
export function toShortId(): string {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  let id = "";
  for (const end = used + idDigits; used < end; used++) id += alphabet.charAt((drawn[used] ?? 0) & 31);
  return id;
}
