import { toSecretForms } from "./secret-forms.ts";
import { createTextSearch, wordLengthMin, type TextSearch } from "./text-search.ts";

/** Shorter values are not looked for: they would be found where they are not meant. */
const searchedLengthMin = wordLengthMin;

/** So many values are looked for; of more, those that were used last. */
const valuesMax = 256;
/** Of a longer form only the beginning is looked for: it says as much. */
const beginningLengthMax = 256;

/** All values that this process knows to be secret, by value. One book for every copy of the package in the process. */
interface Book {
  readonly nameByValue: Map<string, string>;
  /** How often a value was added. */
  added: number;
  /** How often one had to be forgotten. */
  forgotten: number;
}

const bookKey = Symbol.for("tutti.known-secrets.1");
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by these very lines, in this or another copy
const shared = globalThis as { [bookKey]?: Book };
const book = (shared[bookKey] ??= { nameByValue: new Map(), added: 0, forgotten: 0 });

/** From now on the value is looked for wherever text leaves for the ledger, a model, an error or a screen. */
export function watchSecret(name: string, value: string): void {
  if (value.length < searchedLengthMin) return;
  const { nameByValue } = book;
  const known = nameByValue.get(value);
  if (known === undefined) book.added += 1;
  else nameByValue.delete(value); // put at the end: it was used last
  nameByValue.set(value, known ?? name);
  if (nameByValue.size > valuesMax) forgetOldest();
}

function forgetOldest(): void {
  const [oldest = ""] = book.nameByValue.keys();
  book.nameByValue.delete(oldest);
  if (book.forgotten === 0) {
    process.emitWarning(
      `more than ${valuesMax} values of secrets are in use; those unused for longest are not looked for any more`,
      "TuttiWarning",
    );
  }
  book.forgotten += 1;
}

/** How the variables are named in which providers' packages look for their keys; and those that are named otherwise. */
const keyNames = /_API_(?:KEY|TOKEN)$/;
const otherNames: ReadonlySet<string> = new Set([
  "ANTHROPIC_AUTH_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "FAL_KEY",
  "GITHUB_TOKEN",
  "HF_TOKEN",
]);

/** What stands there instead of a key ("not-needed", "your-key") is short, or has no digit, and may occur in any text. */
const keyLengthMin = 16;

/** Looks from now on for the keys of providers that are set in the environment, each under the name of its variable. */
export function watchEnvironment(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value = ""] of Object.entries(environment)) {
    if (!keyNames.test(name) && !otherNames.has(name)) continue;
    if (value.length >= keyLengthMin && /\d/u.test(value) && !/\s/u.test(value)) watchSecret(name, value);
  }
}

export function knowsSecrets(): boolean {
  return book.nameByValue.size > 0;
}

/** The name of a secret whose value stands in the text, in one of its forms. Costs one comparison while no secret is known. */
export function findSecret(text: string): string | undefined {
  if (!knowsSecrets()) return undefined;
  return toSearch().find(text, 1)[0]?.meaning.name;
}

/** How a secret is named where its value may not stand. */
export function toHandle(name: string): string {
  return `secret://${name}`;
}

/** The text with each value of a known secret replaced by its handle. */
export function redactSecrets(text: string): string {
  if (!knowsSecrets()) return text;
  let redacted = "";
  let end = 0;
  for (const match of toSearch().find(text)) {
    const { form, name } = match.meaning;
    // What overlaps is one place: the handle of what begins first stands for all of it.
    if (match.start >= end) redacted += text.slice(end, match.start) + toHandle(name);
    end = Math.max(end, text.startsWith(form, match.start) ? match.start + form.length : match.end);
  }
  return end === 0 ? text : redacted + text.slice(end);
}

/** A form of a value, whole, and the secret that it gives away. */
interface Meaning {
  readonly form: string;
  readonly name: string;
}

/** What this copy of the package has made of the book. */
interface Index {
  readonly search: TextSearch<Meaning>;
  readonly formsByValue: Map<string, readonly string[]>;
  readonly forgotten: number;
  added: number;
}

let index: Index = { search: createTextSearch(), formsByValue: new Map(), forgotten: 0, added: 0 };

function toSearch(): TextSearch<Meaning> {
  if (index.added === book.added) return index.search;
  const earlier = index.formsByValue;
  // Two values can share a form, so one that was forgotten is not taken out: what is left is put together anew.
  if (index.forgotten !== book.forgotten)
    index = { search: createTextSearch(), formsByValue: new Map(), forgotten: book.forgotten, added: 0 };
  const { search, formsByValue } = index;
  for (const [value, name] of book.nameByValue) {
    if (formsByValue.has(value)) continue;
    const forms = earlier.get(value) ?? toSecretForms(value);
    formsByValue.set(value, forms);
    for (const form of forms) search.add(form.slice(0, beginningLengthMax), { form, name });
  }
  index.added = book.added;
  return search;
}
