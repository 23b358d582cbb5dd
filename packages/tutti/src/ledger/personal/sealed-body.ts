import { fields, text } from "../../base/shape.ts";
import { openText, sealText } from "./cipher.ts";

/** A key with the id under which bodies name it. */
export interface SubjectKey {
  readonly id: string;
  readonly key: Buffer;
}

/**
 * Fields of bodies that stay readable: what was done when, by which callable, in which order, at what cost; ids, digests and references.
 * Everything else is sealed, also what later kinds bring, unless it is named here.
 */
const clearFields: ReadonlySet<string> = new Set(
  `flow version parent forkedFrom tenant budgets personal by step uses call effect tool class undo
  digest attempt nextAt doubtful edited from agent does usage model confidence consumed reads child
  onParentEnd amount charged dueAt name id rule outcome rounds to intent bytes readBy inReplyTo
  withheld until document peeked stale next leased documents untilMs outRef inputRef payloadRef
  dataRef valueRef topic after events event eventKey through run since cron timeZone at verdict
  policy approval kind round binding package needs stages peopleKnown matter initiator saw roles state stage level
  plan budget ancestors priority decided`.split(/\s+/u),
);

/** Fields that hold whatever a flow put there. */
const valueFields: ReadonlySet<string> = new Set(["out", "input", "payload", "data", "value"]);

const sealedWord = "(sealed)";
const erasedWord = "(erased)";

/** A body in whose place stands what anybody may read; what only the key opens is beside it, in `sealed`. */
export function sealBody(body: string, { id, key }: SubjectKey): string {
  if (body === "") return body; // of a reservation, whose body the ledger itself writes
  const open: [string, unknown][] = [];
  const sealed: [string, unknown][] = [];
  for (const [name, value] of Object.entries(toObject(body))) {
    const shown = clearFields.has(name) ? value : name === "request" ? hideValues(value) : toHole(name, value);
    open.push([name, shown]);
    if (shown !== value) sealed.push([name, value]);
  }
  // A large value is sealed elsewhere; its entry is marked, so that nobody takes what is left of it for the value.
  if (sealed.length === 0 && !open.some(([name]) => name.endsWith("Ref"))) return body;
  const hidden = sealText(key, JSON.stringify(Object.fromEntries(sealed)));
  return JSON.stringify({ ...Object.fromEntries(open), sealed: { key: id, data: hidden } });
}

/** The request that a policy was asked about stays readable, but for the input in it. */
function hideValues(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const shown = Object.entries(value).map(([name, inner]): [string, unknown] => [
    name,
    valueFields.has(name) ? sealedWord : hideValues(inner),
  ]);
  const isSame = shown.every(([name, inner]) => inner === Reflect.get(value, name));
  return isSame ? value : Object.fromEntries(shown);
}

/** So that a body that can't be opened is still one of its kind. */
function toHole(name: string, value: unknown): unknown {
  if (name === "error") return { code: "DATA_ERASED", message: sealedWord };
  if (valueFields.has(name) || typeof value === "string") return sealedWord;
  if (Array.isArray(value)) return [];
  return typeof value === "object" && value !== null ? {} : typeof value === "number" ? 0 : false;
}

const sealedShape = fields({ sealed: fields({ key: text, data: text }) });

/** The body as it was written, or, where the key is gone, with "(erased)" in the holes; `isErased` then says so. */
export function openBody(body: string, findKey: (id: string) => Buffer | undefined): string {
  if (!isSealed(body)) return body;
  const { sealed } = sealedShape(JSON.parse(body), "");
  const key = findKey(sealed.key);
  if (key === undefined) return toErasedBody(body);
  const { sealed: _, ...open } = toObject(body);
  return JSON.stringify({ ...open, ...toObject(openText(key, sealed.data)) });
}

/** Large values are gone like small ones. */
function toErasedBody(body: string): string {
  const word = body.replaceAll(`"${sealedWord}"`, `"${erasedWord}"`);
  const shown = Object.entries(toObject(word)).map(([name, value]) =>
    valueFields.has(name.replace(/Ref$/u, "")) ? [name.replace(/Ref$/u, ""), erasedWord] : [name, value],
  );
  return JSON.stringify(Object.fromEntries(shown));
}

/** The beginning of what is sealed ends every sealed body; in a text of a body its quotes would be escaped. */
const sealedPattern = /,"sealed":\{"key":"[0-9a-f]{16}","data":"[\w+/=]+"\}\}$/u;

/** Whether a body as it is stored, or as it was read without its key, holds what only a key opens. */
export function isSealed(body: string): boolean {
  return sealedPattern.test(body);
}

const blobPattern = /^tutti-sealed:(?<id>[0-9a-f]{16}):(?<data>[\w+/=]+)$/u;

/** A large value; values are JSON, which never begins so. */
export function sealBlob(content: string, { id, key }: SubjectKey): string {
  return `tutti-sealed:${id}:${sealText(key, content)}`;
}

export function openBlob(content: string, findKey: (id: string) => Buffer | undefined): string {
  if (!content.startsWith("tutti-sealed:")) return content;
  const { id = "", data = "" } = blobPattern.exec(content)?.groups ?? {};
  const key = findKey(id);
  return key === undefined ? JSON.stringify(erasedWord) : openText(key, data);
}

const wordsPattern = /tutti-sealed:[0-9a-f]{16}:[\w+/=]+/gu;

/** A body in the clear with sealed words in it, with those opened. */
export function openInnerWords(body: string, findKey: (id: string) => Buffer | undefined): string {
  if (!body.includes("tutti-sealed:")) return body;
  return JSON.stringify(
    JSON.parse(body, (_, value: unknown) => (typeof value === "string" ? openWords(value, findKey) : value)),
  );
}

/** Words for people that stand outside of bodies, sealed as large values are, alone or within others. */
export function openWords(words: string, findKey: (id: string) => Buffer | undefined): string {
  return words.replaceAll(wordsPattern, (sealed) => {
    const { id = "", data = "" } = blobPattern.exec(sealed)?.groups ?? {};
    const key = findKey(id);
    return key === undefined ? erasedWord : openText(key, data);
  });
}

function toObject(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && value !== null ? { ...value } : {};
}
