import type { PlainText } from "./plain-text.ts";

const fence = /^\s*(?:```|~~~)/;
const heading = /^\s{0,3}#{1,6}\s/;
const underline = /^\s{0,3}(?:=+|-{3,})\s*$/;
const listMark = /^\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?/;
const rule = /^\s*(?:(?:\*\s*){3,}|(?:_\s*){3,}|(?:-\s*){3,})$/;
const tableRule = /^[\s:|-]+$/;
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
        const words = toInlineText(toHeadingText(line)).trim();
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

function toHeadingText(line: string): string {
  if (!heading.test(line)) return line;
  return line.trim().replace(/^#+/, "").trim().replace(/#+$/, "");
}

type LineKind = "fence" | "code" | "nothing" | "heading" | "table" | "item" | "text";

function toLineKind(line: string, next: string): LineKind {
  if (fence.test(line)) return "fence";
  if (
    line.trim() === "" ||
    rule.test(line) ||
    (tableRule.test(line) && line.includes("|")) ||
    linkDefinition.test(line) ||
    underline.test(line)
  )
    return "nothing";
  if (heading.test(line) || (underline.test(next) && !listMark.test(line))) return "heading";
  if (/^\|.+\|$/.test(line.trim())) return "table";
  return listMark.test(line) ? "item" : "text";
}

function toLines(content: string): string[] {
  const lines = withoutFrontMatter(withoutComments(content.replaceAll("\r\n", "\n"))).split("\n");
  // "[Name]" is a link only where a line "[Name]: …" says where it leads; elsewhere the brackets are meant.
  const labels = new Set(lines.map((line) => linkDefinition.exec(line)?.[1]?.toLowerCase()));
  if (labels.size === 1) return lines;
  return lines.map((line) =>
    line.replaceAll(/\[([^[\]]+)\](?![[(:])/g, (whole, label: string) =>
      labels.has(label.toLowerCase()) ? label : whole,
    ),
  );
}

function withoutComments(content: string): string {
  const kept: string[] = [];
  let from = 0;
  for (;;) {
    const start = content.indexOf("<!--", from);
    const end = start < 0 ? -1 : content.indexOf("-->", start);
    if (end < 0) return kept.join("") + content.slice(from);
    kept.push(content.slice(from, start));
    from = end + 3;
  }
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
    /(`{1,3})([^`]{1,1000})\1(?!`)/g,
    (_, _ticks: string, code: string) => `\u0000${codes.push(code) - 1}\u0000`,
  );
  // Every repetition has a bound, so that a text made to be slow is not.
  const plain = marked
    .replaceAll(/!\[[^[\]]{0,300}\](?:\([^()]{0,1000}\)|\[[^[\]]{0,300}\])/g, "")
    .replaceAll(/\[((?:[^[\]]|\[[^[\]]{0,100}\]){0,500})\]\([^()]{0,1000}(?:\([^()]{0,200}\))?[^()]{0,200}\)/g, "$1")
    .replaceAll(/\[([^[\]]{1,300})\]\[[^[\]]{0,300}\]/g, "$1")
    .replaceAll(/<((?:https?|mailto):[^<>\s]{1,1000})>/g, "$1")
    .replaceAll(/<(?:br|hr)\b[^<>]{0,500}>/gi, " ")
    .replaceAll(
      /<\/?(?:p|div|li|ul|ol|t[rdh]|table|h[1-6]|details|summary|center|blockquote|pre|dl|dt|dd)\b[^<>]{0,500}>/gi,
      "\n\n",
    )
    .replaceAll(/<\/?[a-zA-Z][^<>]{0,1000}>/g, "")
    .replaceAll(/(?<![\w*])\*{1,3}(?=[^\s*])([^*]{1,1000})(?<=\S)\*{1,3}(?!\w)/g, "$1")
    .replaceAll(/(?<!\w)_{1,3}(?=[^\s_])((?:[^_]|(?<=\w)_(?=\w)){1,1000})(?<=\S)_{1,3}(?!\w)/g, "$1")
    .replaceAll(/~~([^~]{1,1000})~~/g, "$1")
    .replaceAll(/\\([\\`*_{}[\]()#+.!|<>~-])/g, "$1")
    .replaceAll(/&(?:nbsp|#160);/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
  // eslint-disable-next-line no-control-regex -- the placeholder set above
  return plain.replaceAll(/\u0000(\d+)\u0000/g, (_, index: string) => codes[Number(index)] ?? "");
}
