/** Of a longer text only so much is looked at: from its beginning, and from its end. */
const scannedCharactersMax = 50_000;

/** What is told to be done, and what it is told to be done to. Both in one breath is a sign; neither is one alone. */
interface Sign {
  readonly points: number;
  readonly verbs: readonly string[];
  readonly objects: readonly string[];
}

const signs: readonly Sign[] = [
  {
    points: 60,
    verbs: [
      "ignore",
      "forget",
      "disregard",
      "override",
      "bypass",
      "ignorez",
      "ignora",
      "ignoriere",
      "vergiss",
      "must strictly adhere",
    ],
    objects: [
      ..."previous instruct,prior instruct,previous rule,earlier instruct,all instruct,your instruct,approval,policy,safety".split(
        ",",
      ),
      ..."instructions prec,la politique,instrucciones ant,vorherigen anweis,to the following".split(","),
    ],
  },
  {
    points: 60,
    verbs: ["reveal", "print", "output", "repeat", "append", "show me", "include", "affichez", "display", "copiez"],
    objects: [
      "system prompt",
      "hidden prompt",
      "secret",
      "canary",
      "internal prompt",
      "initial instruct",
      "invite systeme",
      "regles priv",
    ],
  },
  {
    points: 60,
    verbs: ["send", "export", "upload", "forward", "envoyez", "envoyer", "load", "chargez", "call", "run"],
    objects: ["attacker", "evil", "credential", "read_secret", "les donnees", "customer email", "customer record"],
  },
  {
    points: 50,
    verbs: [
      "system:",
      "systeme:",
      "assistant:",
      "remember permanent",
      "memorisez",
      "as tenant",
      "vous etes",
      "you are now",
    ],
    objects: ["reveal", "approve", "approuvez", "administrat", "ignore", "fetch tenant", "doit", "maintenance mode"],
  },
];

/** So far may the two stand apart, in letters. */
const gapMax = 40;

// Letters that look like Latin ones, and digits that stand for letters. I and l are one, because 1 is either.
const lookAlikes: ReadonlyMap<string, string> = new Map([
  ...pair("аеорсхуіѕјԁһոԛ", "aeopcxyisjdhnq"),
  ...pair("01l3457@$!", "oiieastasi"),
]);

function pair(disguised: string, plain: string): readonly (readonly [string, string])[] {
  return Array.from(disguised, (character, index) => [character, plain.charAt(index)] as const);
}

function toChoice(words: readonly string[]): string {
  return words.map((word) => squash(word)).join("|");
}

let compiled: readonly { readonly points: number; readonly pattern: RegExp }[] | undefined;

/** Made when the first text is looked at. */
function toPatterns(): NonNullable<typeof compiled> {
  return (compiled ??= signs.map(({ points, verbs, objects }) => {
    const pattern = new RegExp(`(?:${toChoice(verbs)}).{0,${gapMax}}?(?:${toChoice(objects)})`, "u");
    return { points, pattern };
  }));
}

/**
 * How much a text looks as if it told its reader what to do: 0 to 100. A signal for people and rules, and never a reason to trust anything: who
 * wants to get past it can.
 */
export function injectionRisk(text: string): number {
  const scanned =
    text.length <= scannedCharactersMax
      ? text
      : `${text.slice(0, scannedCharactersMax / 2)} ${text.slice(-scannedCharactersMax / 2)}`;
  const plain = decode(scanned);
  return Math.max(toPoints(squash(plain)), toPoints(squash(rotate(plain))));
}

function toPoints(squashed: string): number {
  let points = 0;
  for (const sign of toPatterns()) if (sign.pattern.test(squashed)) points += sign.points;
  return Math.min(100, points);
}

/** Letters only, in one form: spaces, marks and disguises are gone. */
function squash(text: string): string {
  let squashed = "";
  for (const character of text.normalize("NFKD").toLowerCase()) {
    const plain = lookAlikes.get(character) ?? character;
    if (plain >= "a" && plain <= "z") squashed += plain;
  }
  return squashed;
}

const codePointMax = 0x10_ff_ff;

/** HTML's numbered characters as what they are. */
function decode(text: string): string {
  return text.replaceAll(/&#(\d{1,7});/gu, (whole, digits: string) =>
    Number(digits) <= codePointMax ? String.fromCodePoint(Number(digits)) : whole,
  );
}

const alphabet = 26;
const half = 13;
const lowerA = 97;
const upperA = 65;

function rotate(text: string): string {
  return text.replaceAll(/[a-z]/giu, (letter) => {
    const first = letter >= "a" ? lowerA : upperA;
    return String.fromCodePoint(((letter.charCodeAt(0) - first + half) % alphabet) + first);
  });
}
