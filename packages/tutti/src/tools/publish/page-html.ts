import { hash } from "node:crypto";

/** One column that is easy to read, in light and dark. */
const style = `
:root { --paper: #fbfaf7; --ink: #1f1e1b; --soft: #6a675f; --line: #dedad0; --accent: #1c6b62; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #151616; --ink: #e6e3dc; --soft: #9d998f; --line: #33342f; --accent: #74c5b8; } }
html { background: var(--paper); color: var(--ink); font: 18px/1.6 Charter, Cambria, Georgia, serif; }
body { max-width: 40rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; }
a { color: var(--accent); }
img { max-width: 100%; height: auto; }
pre { overflow-x: auto; padding: 0.8rem 1rem; border: 1px solid var(--line); border-radius: 6px; }
blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid var(--accent); color: var(--soft); }
table { display: block; overflow-x: auto; border-collapse: collapse; }
th, td { padding: 0.3rem 0.8rem; border: 1px solid var(--line); text-align: left; }
`;

const styleHash = hash("sha256", style, "base64");

/** Nothing is loaded and nothing runs but what is listed: the style above, and pictures. */
export function toPolicy(imagesFrom: readonly string[]): string {
  return [
    "default-src 'none'",
    `img-src ${["'self'", ...imagesFrom].join(" ")}`,
    `style-src 'sha256-${styleHash}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

export interface PageParts {
  readonly title: string;
  /** Safe already. */
  readonly body: string;
  readonly policy: string;
  readonly replaces?: string | undefined;
}

/** A whole page. The same parts give the same bytes. */
export function toPageHtml({ title, body, policy, replaces }: PageParts): string {
  const predecessor = replaces === undefined ? "" : `<meta name="tutti-replaces" content="${replaces}">\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${toHtmlText(policy)}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
${predecessor}<title>${toHtmlText(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

export interface IndexEntry {
  readonly slug: string;
  /** As HTML text, already escaped. */
  readonly titleHtml: string;
}

export function toIndexHtml(entries: readonly IndexEntry[], policy: string): string {
  const items = entries
    .map(({ slug, titleHtml }) => `<li><a href="${slug}/index.html">${titleHtml}</a></li>`)
    .join("\n");
  return toPageHtml({ title: "Pages", body: `<h1>Pages</h1>\n<ul>\n${items}\n</ul>`, policy });
}

/** What a page of ours says of itself in its head, where no author can write. */
export function readPageHead(html: string): { readonly titleHtml: string; readonly replaces: string | undefined } {
  const head = html.slice(0, Math.max(0, html.indexOf("<style>")));
  return {
    titleHtml: /<title>([^<]*)<\/title>/.exec(head)?.[1] ?? "",
    replaces: /<meta name="tutti-replaces" content="([0-9a-f]{32})">/.exec(head)?.[1],
  };
}

function toHtmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
