import path from "node:path";

import type { Sources } from "tutti/sources";

/** Finds the address of a source, and of a quote in it, from the folder that the page lies in. */
export type Links = (source: string, quote?: string) => string | undefined;

export function toLinks(sources: Sources, folder: string): Links {
  return (id, quote) => {
    const source = sources.find(id);
    if (source === undefined) return undefined;
    const address = path.relative(path.resolve(folder), source.file).split(path.sep).map(encodeURIComponent).join("/");
    // Browsers scroll to these words in what they show as text.
    return quote === undefined || source.kind === "pdf" ? address : `${address}#:~:text=${toFragment(quote)}`;
  };
}

// From its first words to its last: marks and line breaks in between do not matter.
function toFragment(quote: string): string {
  const words = quote.split(/\s+/);
  return words.length <= 8 ? encode(words) : `${encode(words.slice(0, 3))},${encode(words.slice(-3))}`;
}

// A dash has a meaning of its own in a text fragment.
function encode(words: readonly string[]): string {
  return encodeURIComponent(words.join(" ")).replaceAll("-", "%2D");
}

/** What people call a document: the package whose README it is, or its name without folder and ending. */
export function toShortName(source: string): string {
  const parts = source.split("/");
  const at = parts.lastIndexOf("node_modules");
  const packaged = at < 0 ? [] : parts.slice(at + 1, parts[at + 1]?.startsWith("@") === true ? at + 3 : at + 2);
  const file = (parts.at(-1) ?? source).replace(/\.[^.]+$/, "");
  if (packaged.length === 0 || packaged.at(-1) === parts.at(-1)) return file;
  return /^readme$/i.test(file) ? packaged.join("/") : `${packaged.join("/")} ${file}`;
}
