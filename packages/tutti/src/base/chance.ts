import { randomBytes } from "node:crypto";

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

/** A short id that people can read aloud: 10 digits of Crockford's base 32, 50 bits from the system's secure source. */
export function toShortId(): string {
  let id = "";
  for (const byte of randomBytes(10)) id += alphabet.charAt(byte & 31);
  return id;
}
