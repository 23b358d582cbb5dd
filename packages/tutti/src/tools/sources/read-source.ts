import { readFile } from "node:fs/promises";
import path from "node:path";

import { describeThrown } from "../../base/errors.ts";
import { decodeText, withoutBlanks, type PlainText } from "../reading/plain-text.ts";
import { readHtml } from "../reading/read-html.ts";
import { readMarkdown } from "../reading/read-markdown.ts";
import { readPdf } from "../reading/read-pdf.ts";
import { toReason, toSourceKind, type FoundFile, type SkippedSource, type Source, type SourceKind } from "./source.ts";

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
    const text = withoutBlanks(plain.text);
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
  const content = decodeText(bytes);
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
