import type { PlainText } from "./source.ts";

const fence = /^\s*(?:```|~~~)/;
const heading = /^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$/;
const underline = /^\s{0,3}(?:=+|-{3,})\s*$/;
const listMark = /^\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?/;
const rule = /^\s*(?:(?:\*\s*){3,}|(?:_\s*){3,}|(?:-\s*){3,})$/;
const tableRule = /^\s*\|?[\s:|-]+\|[\s:|-]*$/;
const linkDefinition = /^\s{0,3}\[([^\]]+)\]:\s*\S+/;

/**
 * The words of a Markdown document, without its marks. Headings, list items and table rows become paragraphs of their own,
 * so that a sentence never runs from one into the next; code stays, as it stands.
 */
export function readMarkdown(content: string): PlainText {
  const lines = toLines(content);
  const blocks: string[] = [];
  // Lines that belong together: a mark may begin on one and end on the next.
  let open: string[] = [];
  const close = (): void => {
    if (open.length > 0) blocks.push(toInlineText(open.join("\n")), "");
    open = [];
  };
  let title: string | undefined;
  let inCode = false;
  for (const [index, line] of lines.entries()) {
    const kind = inCode && !fence.test(line) ? "code" : toLineKind(line, lines[index + 1] ?? "");
    if (kind !== "text") close();
    switch (kind) {
      case "fence":
        inCode = !inCode;
        blocks.push("");
        break;
      case "code":
        blocks.push(line);
        break;
      case "nothing":
        break;
      case "heading": {
        const words = toInlineText(heading.exec(line)?.[1] ?? line).trim();
        if (words !== "") title ??= words;
        blocks.push("", words, "");
        break;
      }
      case "table":
        blocks.push(toTableText(line), "");
        break;
      case "item":
        open.push(line.replace(listMark, ""));
        break;
      case "text":
        open.push(line.replace(/^\s*(?:>\s?)*/, ""));
    }
  }
  close();
  return { text: blocks.join("\n"), title };
}

type LineKind = "fence" | "code" | "nothing" | "heading" | "table" | "item" | "text";

function toLineKind(line: string, next: string): LineKind {
  if (fence.test(line)) return "fence";
  if (
    line.trim() === "" ||
    rule.test(line) ||
    tableRule.test(line) ||
    linkDefinition.test(line) ||
    underline.test(line)
  )
    return "nothing";
  if (heading.test(line) || (underline.test(next) && !listMark.test(line))) return "heading";
  if (/^\s*\|.*\|\s*$/.test(line)) return "table";
  return listMark.test(line) ? "item" : "text";
}

function toLines(content: string): string[] {
  const lines = withoutFrontMatter(content.replaceAll("\r\n", "\n").replaceAll(/<!--[\s\S]*?-->/g, "")).split("\n");
  // "[Name]" is a link only where a line "[Name]: …" says where it leads; elsewhere the brackets are meant.
  const labels = new Set(lines.map((line) => linkDefinition.exec(line)?.[1]?.toLowerCase()));
  if (labels.size === 1) return lines;
  return lines.map((line) =>
    line.replaceAll(/\[([^[\]]+)\](?![[(:])/g, (whole, label: string) =>
      labels.has(label.toLowerCase()) ? label : whole,
    ),
  );
}

function withoutFrontMatter(content: string): string {
  const found = /^---\n[\s\S]*?\n---\n/.exec(content);
  return found === null ? content : content.slice(found[0].length);
}

function toTableText(line: string): string {
  const cells = line
    .trim()
    .replaceAll(/^\||\|$/g, "")
    .split(/(?<!\\)\|/);
  return cells
    .map((cell) => toInlineText(cell).trim())
    .filter((cell) => cell !== "")
    .join(" | ");
}

function toInlineText(text: string): string {
  // What stands in code is taken out first: it may look like a mark and is none.
  const codes: string[] = [];
  const marked = text.replaceAll(
    /(`+)([\s\S]+?)\1/g,
    (_, _ticks: string, code: string) => `\u0000${codes.push(code) - 1}\u0000`,
  );
  const plain = marked
    .replaceAll(/!\[[^\]]*\]\([^)]*\)/g, "")
    .replaceAll(/!\[[^\]]*\]\[[^\]]*\]/g, "")
    .replaceAll(/\[((?:[^[\]]|\[[^\]]*\])*)\]\([^)]*\)/g, "$1")
    .replaceAll(/\[([^\]]+)\]\[[^\]]*\]/g, "$1")
    .replaceAll(/<((?:https?|mailto):[^>\s]+)>/g, "$1")
    .replaceAll(/<(?:br|hr)\b[^>]*>/gi, " ")
    .replaceAll(
      /<\/?(?:p|div|li|ul|ol|t[rdh]|table|h[1-6]|details|summary|center|blockquote|pre|dl|dt|dd)\b[^>]*>/gi,
      "\n\n",
    )
    .replaceAll(/<\/?[a-zA-Z][^>]*>/g, "")
    .replaceAll(/(?<![\w*])\*{1,3}(?=\S)([\s\S]+?)(?<=\S)\*{1,3}(?!\w)/g, "$1")
    .replaceAll(/(?<!\w)_{1,3}(?=\S)([\s\S]+?)(?<=\S)_{1,3}(?!\w)/g, "$1")
    .replaceAll(/~~([\s\S]+?)~~/g, "$1")
    .replaceAll(/\\([\\`*_{}[\]()#+.!|<>~-])/g, "$1")
    .replaceAll(/&(?:nbsp|#160);/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
  // eslint-disable-next-line no-control-regex -- the placeholder set above
  return plain.replaceAll(/\u0000(\d+)\u0000/g, (_, index: string) => codes[Number(index)] ?? "");
}
