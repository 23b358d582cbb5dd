import fc from "fast-check";
import { html, parseFragment, serialize, type DefaultTreeAdapterTypes } from "parse5";
import { expect, test } from "vitest";

import { attacks } from "../../../../../test/capabilities/active-html.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { allowedAttributes, allowedTags, toHtml, toSafeHtml } from "./safe-html.ts";

const options = {
  assetUrl: (name: string): string | undefined => (name === "a.png" ? "../assets/a.png" : undefined),
  imagesFrom: ["https://images.example.org"],
};
const tags: ReadonlySet<string> = new Set(allowedTags);

/** Everything in a page, as a browser's parser sees it, that could do or load something. */
function findActive(safe: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: DefaultTreeAdapterTypes.Node): void => {
    if ("tagName" in node) {
      const known = new Set([...(allowedAttributes[node.tagName] ?? []), ...(allowedAttributes["*"] ?? [])]);
      if (!tags.has(node.tagName) || node.namespaceURI !== html.NS.HTML) found.push(`<${node.tagName}>`);
      for (const { name, value } of node.attrs) {
        if (!known.has(name) || /^on|^style$|^srcset$/i.test(name)) found.push(`${name} of <${node.tagName}>`);
        if (name === "href" && !isQuietLink(value)) found.push(`${name}=${value}`);
        if (name === "src" && !/^(?:\.\.\/assets\/|https:\/\/images\.example\.org\/)/.test(value))
          found.push(`${name}=${value}`);
      }
    } else if (node.nodeName !== "#text" && node.nodeName !== "#document-fragment") found.push(node.nodeName);
    if ("childNodes" in node) for (const child of node.childNodes) visit(child);
  };
  visit(parseFragment(safe));
  return found;
}

// Control characters and white space are what browsers leave out before they look for a scheme.
function isQuietLink(href: string): boolean {
  const url = URL.parse(href, "https://site.example.org/page/");
  return url !== null && ["http:", "https:", "mailto:"].includes(url.protocol) && !/^[\s\\/]{2}/.test(href);
}

test("nothing active is left of any known attack", verifies("K2"), async () => {
  expect(attacks.length).toBeGreaterThan(90);
  const left: unknown[] = [];
  for (const attack of attacks) {
    for (const given of [attack, await toHtml(attack)]) {
      const safe = await toSafeHtml(given, options);
      const active = findActive(safe);
      if (active.length > 0) left.push({ attack, safe, active });
      // What a browser makes of it, written down and read again, is quiet too; and cleaning what is clean changes nothing.
      expect(findActive(serialize(parseFragment(safe)))).toEqual([]);
      expect(await toSafeHtml(safe.replaceAll("../assets/", "asset:"), options)).toBe(safe);
    }
  }
  expect(left).toEqual([]);
});

const piece = fc.oneof(
  fc.constantFrom(
    "<",
    ">",
    "</",
    "/>",
    '"',
    "'",
    "=",
    "`",
    " ",
    "\n",
    "\0",
    "&",
    ";",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "javascript:",
    "onerror=",
  ),
  fc.constantFrom(
    "svg",
    "math",
    "style",
    "script",
    "noscript",
    "title",
    "textarea",
    "template",
    "table",
    "p",
    "a href",
    "img src",
    "mglyph",
    "mtext",
    "annotation-xml",
    "foreignObject",
    "select",
    "iframe srcdoc",
    "xmp",
  ),
  fc.string({ maxLength: 3 }),
);

test("nothing active is left of any text at all", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      expect(findActive(await toSafeHtml(pieces.join(""), options))).toEqual([]);
    }),
    { numRuns: 1_500 },
  );
});

test("what people write stays as it is", async () => {
  const written = `<h2 id="why">Why</h2><p>One <strong>two</strong> &amp; <a href="https://example.org/?a=1&amp;b=2">three</a>.</p><ul><li>x</li></ul><pre><code>a &lt; b</code></pre><table><tbody><tr><td colspan="2">1</td></tr></tbody></table>`;
  expect(await toSafeHtml(written, options)).toBe(
    written.replace(
      '<a href="https://example.org/?a=1&amp;b=2">',
      '<a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer">',
    ),
  );
});

const show = (src: string): Promise<string> => toSafeHtml(`<img src="${src}" alt="a bar chart">`, options);

test("pictures come from the page's assets and from listed origins; of others their text is left", async () => {
  expect(await show("asset:a.png")).toBe('<img src="../assets/a.png" alt="a bar chart" />');
  expect(await show("https://images.example.org/x.png")).toContain('src="https://images.example.org/x.png"');
  for (const src of [
    "https://elsewhere.example.org/x.png",
    "//images.example.org/x.png",
    "data:image/png;base64,AA==",
    "x.png",
    "https://images.example.org.evil.example/x.png",
    "http://images.example.org/x.png",
  ])
    expect(await show(src)).toBe("<span>a bar chart</span>");
  await expect(show("asset:b.png")).rejects.toMatchObject({ code: "INPUT_INVALID" });
});

test("Markdown becomes HTML, and HTML in it is reduced like any other", async () => {
  const safe = await toSafeHtml(
    await toHtml("# A\n\n*b* [c](javascript:alert(1)) <script>d</script>\n\n![e](asset:a.png)"),
    options,
  );
  expect(safe).toContain("<h1>A</h1>");
  expect(safe).toContain("<em>b</em>");
  expect(safe).toContain('<img src="../assets/a.png" alt="e" />');
  expect(safe).not.toMatch(/<script|href|d</);
});

test("texts made to be slow are dealt with in moments", async () => {
  const length = 50_000;
  for (const part of [
    "<b>",
    "<",
    "<!--",
    "&",
    "[",
    "![",
    "*a ",
    "_a",
    "`",
    "<a href=",
    "|-",
    "> ",
    "(",
    "[a](",
    "<svg><style>",
    "- ",
  ]) {
    const text = part.repeat(length / part.length);
    const before = performance.now();
    expect(findActive(await toSafeHtml(text, options))).toEqual([]);
    expect(findActive(await toSafeHtml(await toHtml(text), options))).toEqual([]);
    expect(performance.now() - before).toBeLessThan(10_000);
  }
});
