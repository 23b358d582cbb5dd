import { describeThrown, TuttiError } from "../../base/errors.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { decodeText, withoutBlanks, type PlainText } from "../reading/plain-text.ts";
import { readHtml } from "../reading/read-html.ts";
import { readPdf } from "../reading/read-pdf.ts";

export interface ReadPage extends PlainText {
  readonly mediaType: string;
}

/**
 * The words of a page: HTML, PDF, or text of any kind.
 * @throws TuttiError TOOL_FAILED for what has no words, TOOL_ANSWER_INVALID for what is damaged, TOOL_EMPTY for a page that says nothing.
 */
export async function readPage(answer: HttpAnswer, place: string): Promise<ReadPage> {
  const type = toMediaType(answer);
  const plain = await toPlainText(answer, type, place);
  const text = withoutBlanks(plain.text);
  if (text === "") throw new TuttiError("TOOL_EMPTY", `${place} holds no text`, { hint: "Try another page." });
  return { text, title: plain.title?.replaceAll(/\s+/g, " ").trim(), mediaType: type.name };
}

interface MediaType {
  /** `text/html` */
  readonly name: string;
  readonly charset: string | undefined;
}

function toMediaType({ headers, body }: HttpAnswer): MediaType {
  const [name = "", ...parameters] = (headers["content-type"] ?? "").split(";").map((part) => part.trim());
  const charset = parameters
    .map((part) => /^charset="?([\w:.-]+)"?$/i.exec(part)?.[1])
    .find((found) => found !== undefined);
  const said = name.toLowerCase();
  const beginning = Buffer.from(body.subarray(0, sniffedBytes)).toString("latin1");
  // What servers send when they do not know; the content says more.
  const unsaid = said === "" || said === "application/octet-stream";
  if (beginning.startsWith("%PDF-")) return { name: "application/pdf", charset };
  const inPage = /<meta[^>]{1,200}charset=["']?([\w:.-]+)/i.exec(beginning)?.[1];
  if (unsaid && /<(?:!doctype html|html|head|body)\b/i.test(beginning))
    return { name: "text/html", charset: charset ?? inPage };
  return { name: unsaid ? "text/plain" : said, charset: charset ?? (isHtml(said) ? inPage : undefined) };
}

const sniffedBytes = 1_024;

function isHtml(name: string): boolean {
  return name === "text/html" || name === "application/xhtml+xml";
}

function isText(name: string): boolean {
  return (
    name.startsWith("text/") ||
    /^application\/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|javascript|toml|x-ndjson)$/.test(name)
  );
}

async function toPlainText({ body }: HttpAnswer, type: MediaType, place: string): Promise<PlainText> {
  if (type.name === "application/pdf") {
    try {
      return await readPdf(body);
    } catch (error) {
      throw toDamaged(`${place} is no PDF that can be read: ${describeThrown(error)}`);
    }
  }
  if (!isHtml(type.name) && !isText(type.name))
    throw new TuttiError("TOOL_FAILED", `${place} is ${type.name}, which has no words`, {
      hint: "Fetch pages, PDF and text.",
    });
  const content = decodeText(body, type.charset);
  if (content === undefined) throw toDamaged(`${place} holds bytes that are not text`);
  return isHtml(type.name) ? readHtml(content) : { text: content.replaceAll("\r\n", "\n"), title: undefined };
}

function toDamaged(what: string): TuttiError {
  return new TuttiError("TOOL_ANSWER_INVALID", what, { hint: "Try another page.", effect: "none" });
}
