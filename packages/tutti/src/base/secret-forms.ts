/** Text in JSON in text in JSON: a tool's answer in an entry, for example. */
const jsonDepthMax = 3;

/**
 * The forms in which a value may stand in a text: as it is; escaped for JSON, an address, a form or HTML; as hexadecimal digits; and as
 * Base64, of it alone or of something longer that it is a part of, such as `user:password`.
 */
export function toSecretForms(value: string): readonly string[] {
  const wellFormed = value.toWellFormed();
  const bytes = Buffer.from(wellFormed, "utf8");
  const hex = bytes.toString("hex");
  const written = [value, ...toEscapes(wellFormed)].flatMap(toNestedJson);
  return [...new Set([...written, hex, hex.toUpperCase(), ...toBase64Parts(bytes)])];
}

function toEscapes(value: string): readonly string[] {
  const inAddress = encodeURIComponent(value);
  const inForm = new URLSearchParams({ v: value }).toString().slice("v=".length);
  const inWholeAddress = encodeURI(value);
  const json = toJsonEscaped(value);
  const ascii = json.replaceAll(/[\u0080-\u{10FFFF}]/gu, toUnicodeEscapes);
  return [
    ...[inAddress, inForm, inWholeAddress].flatMap((text) => [text, toLowerPercent(text)]),
    // What other languages write: letters beyond ASCII, and slashes.
    ascii,
    json.replaceAll("/", String.raw`\/`),
    ascii.replaceAll("/", String.raw`\/`),
    toHtml(value),
    // A segment of a step's path.
    value.replaceAll(/[%/#\p{Cc}]/gu, encodeURIComponent),
  ];
}

function toNestedJson(text: string): readonly string[] {
  const forms = [text];
  for (let depth = 0, inner = text; depth < jsonDepthMax; depth++) forms.push((inner = toJsonEscaped(inner)));
  return forms;
}

function toJsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function toUnicodeEscapes(letter: string): string {
  return Array.from({ length: letter.length }, (_, at) => {
    return `\\u${letter.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}

function toLowerPercent(text: string): string {
  return text.replaceAll(/%[0-9A-F]{2}/gu, (escape) => escape.toLowerCase());
}

const htmlNames: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function toHtml(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (letter) => htmlNames[letter] ?? letter);
}

/**
 * Base64 writes three bytes as four letters, so it looks different for each of the three places where the value can begin. The letters at
 * its ends that also hold bits of its neighbours are left out.
 */
function toBase64Parts(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor((shifted.length * 8) / 6);
    return (["base64", "base64url"] as const).map((encoding) => shifted.toString(encoding).slice(first, last));
  });
}
