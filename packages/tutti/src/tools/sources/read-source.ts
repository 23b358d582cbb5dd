import { readFile } from "node:fs/promises";
import path from "node:path";

import { describeThrown } from "../../base/errors.ts";
import { readHtml } from "./read-html.ts";
import { readMarkdown } from "./read-markdown.ts";
import { readPdf } from "./read-pdf.ts";
import {
  toReason,
  toSourceKind,
  type FoundFile,
  type PlainText,
  type SkippedSource,
  type Source,
  type SourceKind,
} from "./source.ts";

const titleMax = 120;

/** A file as a source, or why it can't be one. Never throws. */
export async function readSource(found: FoundFile, bytesMax: number): Promise<Source | SkippedSource> {
  const kind = toSourceKind(found.file);
  if (kind === undefined) return { path: found.id, why: "is neither Markdown, text, HTML nor PDF" };
  if (found.bytes > bytesMax) return { path: found.id, why: `has ${found.bytes} bytes; the limit is ${bytesMax}` };
  let bytes: Uint8Array;
  try {
    bytes = await readFile(found.file);
  } catch (error) {
    return { path: found.id, why: toReason(error) };
  }
  try {
    const plain = await toPlainText(kind, bytes);
    if (plain === undefined) return { path: found.id, why: "holds bytes that are not text" };
    const lines = plain.text.split("\n").map((line) => line.trimEnd());
    const text = lines
      .join("\n")
      .replaceAll(/\n{3,}/g, "\n\n")
      .trim();
    if (text === "") return { path: found.id, why: "holds no text" };
    const title = (plain.title ?? "").replaceAll(/\s+/g, " ").trim().slice(0, titleMax);
    return { id: found.id, title: title === "" ? path.basename(found.file) : title, text, kind, file: found.file };
  } catch (error) {
    return {
      path: found.id,
      why: `is no ${kind === "pdf" ? "PDF" : kind} that can be read: ${describeThrown(error).slice(0, titleMax)}`,
    };
  }
}

async function toPlainText(kind: SourceKind, bytes: Uint8Array): Promise<PlainText | undefined> {
  if (kind === "pdf") return readPdf(bytes);
  const content = decode(bytes);
  if (content === undefined) return undefined;
  switch (kind) {
    case "markdown":
      return readMarkdown(content);
    case "html":
      return readHtml(content);
    case "text":
      return { text: content.replaceAll("\r\n", "\n"), title: undefined };
  }
}

// UTF-8 as nearly all text is, UTF-16 where a mark says so, else the western encoding that any byte fits.
function decode(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
