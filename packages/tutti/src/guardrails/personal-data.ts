import { isIP } from "node:net";

/** Kinds of personal data that can be told by their form. All but `phone` have a check of their own, so they are seldom wrong. */
export const personalKinds = ["card", "iban", "ssn", "email", "ip", "phone"] as const;

export type PersonalKind = (typeof personalKinds)[number];

/** Where something personal stands in a text: from `start` up to `end`, in UTF-16 units. */
export interface PersonalSpan {
  readonly kind: PersonalKind;
  readonly start: number;
  readonly end: number;
}

/** What is looked for where nothing is said: a phone number has no check digit, and many numbers look like one. */
export const sureKinds: readonly PersonalKind[] = ["card", "iban", "ssn", "email", "ip"];

interface Detector {
  readonly pattern: RegExp;
  readonly isOne: (found: string) => boolean;
}

const always = (): boolean => true;

// In this order: what is a card is not taken for a phone number too. No pattern can look at a character again and again.
const detectors: Readonly<Record<PersonalKind, Detector>> = {
  email: { pattern: /[\p{L}\d][\p{L}\d._%+-]{0,63}@(?:[\p{L}\d-]{1,63}\.){1,8}\p{L}{2,24}/gu, isOne: always },
  iban: {
    pattern: /(?<![\p{L}\d])[A-Z]{2}\d{2}(?:[A-Z\d]{11,30}|(?: [A-Z\d]{4}){2,7}(?: [A-Z\d]{1,3})?)(?![\p{L}\d])/giu,
    isOne: isIban,
  },
  card: { pattern: /(?<![\p{L}\d.])\d(?:[ -]?\d){11,18}(?![\p{L}\d])/gu, isOne: isCard },
  ssn: { pattern: /(?<![\p{L}\d-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\p{L}\d-])/gu, isOne: always },
  ip: {
    pattern: /(?<![\p{L}\d.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f:]{2,39}:[\da-f:]{0,4})(?![\p{L}\d:]|\.\d)/giu,
    isOne: isAddress,
  },
  phone: { pattern: /(?<![\p{L}\d.])(?:\+|\()?\d(?:[ ().-]{0,2}\d){6,14}(?![\p{L}\d])/gu, isOne: isPhone },
};

/** Of a longer text only the beginning is looked at. */
const scannedCharactersMax = 1_000_000;

/** What a text holds of some kinds, in its order; spans do not overlap. */
export function findPersonalData(text: string, kinds: readonly PersonalKind[] = sureKinds): readonly PersonalSpan[] {
  const scanned = text.slice(0, scannedCharactersMax);
  const spans: PersonalSpan[] = [];
  for (const kind of ["email", "iban", "card", "ssn", "ip", "phone"] as const) {
    if (!kinds.includes(kind)) continue;
    const { pattern, isOne } = detectors[kind];
    for (const { 0: found, index: start } of scanned.matchAll(pattern)) {
      const end = start + found.length;
      if (isOne(found) && spans.every((span) => span.end <= start || span.start >= end))
        spans.push({ kind, start, end });
    }
  }
  return spans.toSorted((left, right) => left.start - right.start);
}

/** The text with `[card]`, `[email]` and so on in place of what was found. What can't be scanned whole is cut off. */
export function redactPersonalData(text: string, kinds: readonly PersonalKind[] = sureKinds): string {
  let redacted = "";
  let at = 0;
  for (const { kind, start, end } of findPersonalData(text, kinds)) {
    redacted += `${text.slice(at, start)}[${kind}]`;
    at = end;
  }
  return redacted + text.slice(at, scannedCharactersMax);
}

/** Luhn: every second digit from the right is doubled, and the sum of all digits ends in 0. */
function isCard(found: string): boolean {
  const digits = found.replaceAll(/\D/gu, "");
  if (/^0+$/u.test(digits)) return false;
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const counted = place % 2 === 0 ? digit : digit * 2;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}

/** ISO 13616: the first four characters last, letters as 10 to 35, modulo 97 that is 1. */
function isIban(found: string): boolean {
  const plain = found.replaceAll(" ", "").toUpperCase();
  let rest = 0;
  for (const character of plain.slice(4) + plain.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

function isAddress(found: string): boolean {
  return isIP(found) !== 0;
}

/** Seven digits or more, and something between or before them: else it is just a number. Dates are none. */
function isPhone(found: string): boolean {
  return /[ ()+-]/u.test(found) && !/^(?:\d{4}-\d{2}-\d{2}|\d{2}-\d{2}-\d{4})/u.test(found);
}
