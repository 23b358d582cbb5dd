import type { PlainText } from "./plain-text.ts";

/** What is not read by people, or stands on every page of a site. */
const silentTags: ReadonlySet<string> = new Set([
  "script",
  "style",
  "noscript",
  "template",
  "svg",
  "nav",
  "iframe",
  "select",
  "button",
  "form",
]);
const blockTags: ReadonlySet<string> = new Set(
  "address article aside blockquote body dd details div dl dt fieldset figcaption figure footer h1 h2 h3 h4 h5 h6 header hr html li main ol p pre section summary table td th tr ul".split(
    " ",
  ),
);

/** The words of an HTML page, one paragraph a block. A page that is broken off still gives what it has. */
export async function readHtml(content: string): Promise<PlainText> {
  const { Parser } = await import("htmlparser2"); // only those who read HTML pay for it
  const parts: string[] = [];
  let title: string | undefined;
  let heading: string | undefined;
  let silent = 0;
  let preformatted = 0;
  let reading: "title" | "h1" | "text" = "text";
  const parser = new Parser({
    onopentagname(name) {
      if (silentTags.has(name)) silent += 1;
      if (name === "title" && silent === 0) reading = "title";
      if (name === "h1") reading = "h1";
      if (name === "pre") preformatted += 1;
      if (name === "br") parts.push("\n");
      else if (blockTags.has(name)) parts.push("\n\n");
    },
    ontext(text) {
      if (silent > 0) return;
      if (reading === "title") {
        title = (title ?? "") + text;
        return;
      }
      if (reading === "h1") heading = (heading ?? "") + text;
      parts.push(preformatted > 0 ? text : text.replaceAll(/\s+/g, " "));
    },
    onclosetag(name) {
      if (silentTags.has(name)) silent = Math.max(0, silent - 1);
      if (name === "title" || name === "h1") reading = "text";
      if (name === "pre") preformatted = Math.max(0, preformatted - 1);
      if (blockTags.has(name)) parts.push("\n\n");
    },
  });
  parser.write(content);
  parser.end();
  const lines = parts.join("").split("\n");
  const text = lines.map((line) => line.trim()).join("\n");
  return { text, title: [title, heading].find((words) => words !== undefined && words.trim() !== "") };
}
