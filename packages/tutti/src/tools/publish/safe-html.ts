import type { IOptions } from "sanitize-html";

import { invalid } from "./page-input.ts";

/** What may appear in a page. Everything else is left out: a tag with its place, a script, style or form control with all it holds. */
export const allowedTags: readonly string[] =
  "h1 h2 h3 h4 h5 h6 p blockquote ul ol li dl dt dd a img figure figcaption table caption thead tbody tfoot tr th td hr br pre code kbd samp var strong em b i u s del ins sub sup mark small abbr cite q time details summary section article aside header footer div span".split(
    " ",
  );

export const allowedAttributes: Readonly<Record<string, readonly string[]>> = {
  "*": ["id", "lang", "dir"],
  a: ["href", "title", "rel"],
  img: ["src", "alt", "title", "width", "height"],
  ol: ["start", "reversed", "type"],
  th: ["colspan", "rowspan", "scope"],
  td: ["colspan", "rowspan"],
  time: ["datetime"],
  abbr: ["title"],
  details: ["open"],
};

/** Whose content is no text of the page. */
const silentTags =
  "script style textarea option select noscript noembed noframes xmp plaintext title template svg math iframe object applet audio video canvas".split(
    " ",
  );
const nestingMax = 100;

export interface SafeHtmlOptions {
  /** Where a picture lies, by the name in `asset:NAME`. */
  readonly assetUrl: (name: string) => string | undefined;
  /** Origins that pictures may come from: `https://images.example.org`. */
  readonly imagesFrom: readonly string[];
}

/**
 * HTML without anything active: only listed tags and attributes, links to http, https and mailto, pictures of the site itself.
 * @throws TuttiError INPUT_INVALID when a picture is asked for that was not given.
 */
export async function toSafeHtml(html: string, options: SafeHtmlOptions): Promise<string> {
  const { default: sanitize } = await import("sanitize-html"); // only those who publish pay for it
  const settings: IOptions = {
    allowedTags: [...allowedTags],
    allowedAttributes: Object.fromEntries(Object.entries(allowedAttributes).map(([tag, names]) => [tag, [...names]])),
    allowedSchemes: ["http", "https", "mailto"],
    allowedSchemesByTag: { img: ["https"] },
    allowedSchemesAppliedToAttributes: ["href", "src", "cite"],
    allowProtocolRelative: false,
    disallowedTagsMode: "discard",
    nonTextTags: silentTags,
    nestingLimit: nestingMax,
    parseStyleAttributes: false,
    transformTags: {
      a: (tagName, attribs) => ({ tagName, attribs: { ...attribs, rel: "noopener noreferrer" } }),
      img(tagName, attribs) {
        const src = toImageUrl(attribs["src"] ?? "", options);
        if (src !== undefined) return { tagName, attribs: { ...attribs, src } };
        return { tagName: "span", attribs: {}, text: attribs["alt"] ?? "" };
      },
    },
  };
  return sanitize(html, settings);
}

/** @throws TuttiError INPUT_INVALID */
function toImageUrl(src: string, { assetUrl, imagesFrom }: SafeHtmlOptions): string | undefined {
  if (src.startsWith("asset:")) {
    const name = src.slice("asset:".length);
    const url = assetUrl(name);
    if (url === undefined)
      throw invalid(
        `the page shows a picture ${JSON.stringify(name.slice(0, 100))} that is not among its assets`,
        "Add it to `assets`, or leave it out.",
      );
    return url;
  }
  if (!URL.canParse(src)) return undefined;
  const { origin, href } = new URL(src);
  return imagesFrom.includes(origin) ? href : undefined;
}

/** Markdown as HTML that is not safe yet: Markdown may hold any HTML. */
export async function toHtml(markdown: string): Promise<string> {
  const { default: MarkdownIt } = await import("markdown-it");
  return new MarkdownIt({ html: true }).render(markdown);
}
