import { spread, summarise } from "./evidence.ts";
import { toKeyPhrases, toQuestions } from "./phrases.ts";
import { toNameWords, toRole, type PropertyRole } from "./property-role.ts";
import { hasFormat, type TextNode, type Wanted } from "./schema-node.ts";
import type { Scope, Shared } from "./scope.ts";

/** Who wrote this, in every text that is not a mere quotation. */
export const disclosure =
  "Offline extractive model: no language model wrote or judged this; what it states is quoted from the given texts or counted in them.";
const nothingFound = "Nothing in the given texts answers this.";

const proseSentences = 2;
const proseMax = 480;
const claimMax = 160;
const titleMax = 100;

/** Text for a property, taken from the material. `undefined` when the material has none. */
export function findText(wanted: Wanted<TextNode>, scope: Scope): string | undefined {
  const { node } = wanted;
  const role = toRole(wanted.name, wanted.description);
  const found = findWords(wanted, role, scope);
  const text = found === undefined ? undefined : toAllowedText(found, node, role);
  if (text !== undefined || node.pattern === undefined) return text;
  // Text of a certain form is wanted: any word of the material that has it.
  return scope.raw.split(/[\s,;()[\]"']+/).find((word) => word !== "" && toAllowedText(word, node, role) === word);
}

/** Several different texts for a list, best first. */
export function findTexts({ node, name, description }: Wanted<TextNode>, scope: Scope, limit: number): string[] {
  const role = toRole(name, description);
  const found = findMany(node, role, { scope, limit });
  return found.flatMap((text) => toAllowedText(text, node, role) ?? []).filter((text) => text !== "");
}

function findMany(
  node: TextNode,
  role: PropertyRole,
  { scope, limit }: { readonly scope: Scope; readonly limit: number },
): string[] {
  const pattern = findByFormat[node.format];
  if (pattern !== undefined) return (scope.raw.match(pattern) ?? []).filter((text) => hasFormat(text, node.format));
  if (role === "question")
    return toQuestions(scope.question, scope.answering.length > 0 ? scope.answering : scope.sentences, limit);
  if (role === "phrase") return toKeyPhrases(scope.answering, scope.question, limit);
  return spread(scope.answering, limit).map((sentence) => (role === "source" ? sentence.source : sentence.text));
}

function findWords({ node, name }: Wanted<TextNode>, role: PropertyRole, scope: Scope): string | undefined {
  if (node.format in findByFormat)
    return scope.raw.match(findByFormat[node.format] ?? /$^/)?.find((text) => hasFormat(text, node.format));
  const best = scope.answering[0];
  switch (role) {
    case "disclosure":
      return `${disclosure} ${toExtent(scope)}`;
    case "reason":
      return `Offline extractive model: ${scope.shared.reasons.at(-1) ?? toExtent(scope)}`;
    case "title":
      return findLabelled(name, scope.raw) ?? toTitle(scope.question);
    case "question":
      return toQuestions(scope.question, [], 1)[0];
    case "slug":
      return findLabelled(name, scope.raw) ?? toSlug(scope.question);
    case "quote":
      return best?.text;
    case "source":
      return best === undefined || best.source === "" ? findLabelled(name, scope.raw) : best.source;
    case "phrase":
      return toKeyPhrases(scope.answering, scope.question, 1)[0];
    case "prose":
      return toProse(scope);
    case "claim":
    case "count":
    case "confidence":
    case "other":
      return findLabelled(name, scope.raw) ?? (best === undefined ? undefined : toClaim(best.text));
  }
}

function toExtent(scope: Scope): string {
  const sources = new Set(scope.answering.map((sentence) => sentence.source)).size;
  if (scope.answering.length === 0) return nothingFound;
  return `${count(scope.answering.length, "sentence")} of ${count(sources, "source")} ${scope.answering.length === 1 ? "fits" : "fit"}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function toProse(scope: Scope): string | undefined {
  const given = scope.answering.filter((sentence) => sentence.given);
  const [best] = summarise(given, scope.question, 1);
  if (best !== undefined && given.length > 1) {
    // Sentences that were found elsewhere and torn from there read like one text, and are none.
    const sources = new Set(given.map((sentence) => sentence.source)).size;
    return withDisclosure(
      `${count(given.length, "quote")} from ${count(sources, "source")}. The closest match: “${best.text}”`,
      scope.shared,
    );
  }
  const chosen: string[] = [];
  for (const { text } of summarise(scope.answering, scope.question, proseSentences)) {
    if (chosen.length > 0 && chosen.join(" ").length + text.length > proseMax) break;
    chosen.push(text);
  }
  if (chosen.length === 0) return undefined;
  return withDisclosure(chosen.join(" "), scope.shared);
}

function withDisclosure(text: string, shared: Shared): string {
  if (shared.disclosed) return text;
  shared.disclosed = true;
  return `${text} (${disclosure})`;
}

/** The main statement of a sentence, in its own words: no opening remark, no aside, no afterthought. */
export function toClaim(sentence: string): string {
  const bare = sentence
    .replaceAll(/\s*\([^()]*\)/g, "")
    .replace(
      /^(?:However|Moreover|Also|Additionally|Furthermore|In addition|Note that|Note|Thus|Therefore|So|And|But|For example|For instance|In short)[,:]?\s+(?=\S)/i,
      "",
    );
  const short =
    bare.length <= claimMax
      ? bare
      : (/^.{40,160}?(?=[;:] | — | – |, (?:which|so|and|but|while|as|because)\b)/u.exec(bare)?.[0] ?? bare);
  return `${short.charAt(0).toUpperCase()}${short.slice(1)}`;
}

/** A question or topic as a heading. */
export function toTitle(question: string): string {
  const asked = question.trim().replace(/[.\s]+$/u, "");
  const subject = /^(?:what is said about|what about)\s+(.+?)\??$/i.exec(asked)?.[1] ?? asked;
  const cut = subject.length <= titleMax ? subject : `${subject.slice(0, subject.lastIndexOf(" ", titleMax))}…`;
  return `${cut.charAt(0).toUpperCase()}${cut.slice(1)}`;
}

function toSlug(words: string): string {
  const ascii = words.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return ascii
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, "");
}

/** What stands behind a name in the material: "Invoice number: 4711", "total = 9". */
function findLabelled(name: string, raw: string): string | undefined {
  const words = toNameWords(name).map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  if (words.length === 0) return undefined;
  const labelled = new RegExp(
    `(?:^|[^\\p{L}\\p{N}])${words.join(String.raw`[\s_-]*`)}\\s*(?::|=|—)\\s*([^\\n;]{1,200})`,
    "iu",
  ).exec(raw)?.[1];
  const value = labelled
    ?.split(/,\s|\.\s/, 1)[0]
    ?.trim()
    .replace(/[.,]$/, "");
  return value === undefined || value === "" ? undefined : value;
}

const findByFormat: Readonly<Record<string, RegExp>> = {
  "date-time": /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})/g,
  date: /(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)/g,
  time: /(?<!\d)\d{2}:\d{2}:\d{2}(?!\d)/g,
  email: /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g,
  uri: /https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:]/g,
  url: /https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:]/g,
  uuid: /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi,
  ipv4: /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g,
};

/** Values that fit a format and mean nothing at all. */
const emptyByFormat: Readonly<Record<string, string>> = {
  "date-time": "0001-01-01T00:00:00Z",
  date: "0001-01-01",
  time: "00:00:00",
  duration: "PT0S",
  email: "nobody@example.invalid",
  hostname: "example.invalid",
  uri: "about:blank",
  url: "about:blank",
  uuid: "00000000-0000-0000-0000-000000000000",
  ipv4: "0.0.0.0",
  ipv6: "::",
};

/** What stands where text is required and none was found: nothing, or a sentence that says so. */
export function toEmptyText({ node, name, description }: Wanted<TextNode>, shared: Shared): string {
  const role = toRole(name, description);
  const formatted = emptyByFormat[node.format];
  if (formatted !== undefined) return formatted;
  if (role === "quote" || role === "source" || role === "slug" || role === "phrase")
    return toAllowedText("", node, role) ?? "";
  const said =
    role === "disclosure" || role === "reason"
      ? `${disclosure} ${nothingFound}`
      : role === "prose"
        ? withDisclosure(nothingFound, shared)
        : nothingFound;
  return toAllowedText(said, node, role) ?? said;
}

/** Cut or filled up to the length that the schema allows; `undefined` when it can't have the pattern. A quote is cut without a mark, so that it stays one. */
function toAllowedText(text: string, node: TextNode, role: PropertyRole): string | undefined {
  let allowed = text;
  if (allowed.length > node.lengthMax) {
    const mark = role === "quote" || role === "source" || node.lengthMax < 12 ? "" : "…";
    const cut = allowed.slice(0, node.lengthMax - mark.length);
    const space = cut.lastIndexOf(" ");
    allowed = `${space > node.lengthMax / 2 ? cut.slice(0, space) : cut}${mark}`;
  }
  while (allowed.length < node.lengthMin)
    allowed = `${allowed} ${nothingFound}`.trim().slice(0, Math.max(node.lengthMin, node.lengthMax));
  allowed = allowed.length > node.lengthMax ? allowed.slice(0, node.lengthMax) : allowed;
  return node.pattern === undefined || node.pattern.test(allowed) ? allowed : undefined;
}
