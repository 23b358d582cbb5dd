import { TuttiError } from "../../base/errors.ts";
import { fields, listOf, text } from "../../base/shape.ts";
import { schemaOf } from "../../contracts/schema.ts";

/** A picture that the page shows: `<img src="asset:chart.png">`, or `![…](asset:chart.png)`. */
export interface PageAsset {
  readonly name: string;
  readonly base64: string;
}

/** Either `html` or `markdown`. */
export interface PageInput {
  /** The page's place in the site: small letters, digits and hyphens. */
  readonly slug: string;
  readonly title: string;
  readonly html?: string;
  readonly markdown?: string;
  readonly assets?: readonly PageAsset[];
  /** The version that this page takes the place of. Without it the slug has to be free. */
  readonly replaces?: string;
}

export interface PageOutput {
  readonly url: string;
  readonly slug: string;
  /** Names this state of the page: `replaces` of the next one. */
  readonly version: string;
}

export const pageLimits = {
  titleCharsMax: 200,
  htmlCharsMax: 1_000_000,
  markdownCharsMax: 50_000,
  assetsMax: 20,
  assetBytesMax: 5_000_000,
} as const;

const versionPattern = /^[0-9a-f]{32}$/;
const slugPattern = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
/** The site's own folder. */
export const assetsFolder = "assets";

export function isSlug(word: string): boolean {
  return slugPattern.test(word) && word !== assetsFolder;
}

/** @throws TuttiError INPUT_INVALID */
export function checkPage({ slug, title, html, markdown, assets = [], replaces }: PageInput): void {
  if (!isSlug(slug))
    throw invalid(
      `${JSON.stringify(slug.slice(0, 80))} can't be a slug`,
      `Use small letters, digits and hyphens, at most 64, and not "${assetsFolder}".`,
    );
  if (title.trim() === "" || title.length > pageLimits.titleCharsMax)
    throw invalid(`the title has ${title.length} characters`, `Give it 1 to ${pageLimits.titleCharsMax}.`);
  if ((html === undefined) === (markdown === undefined))
    throw invalid("the page's content is missing, or given twice", "Give either `html` or `markdown`.");
  const charsMax = html === undefined ? pageLimits.markdownCharsMax : pageLimits.htmlCharsMax;
  const { length } = html ?? markdown ?? "";
  if (length > charsMax)
    throw invalid(`the content has ${length} characters; ${charsMax} are allowed`, "Publish it as several pages.");
  if (assets.length > pageLimits.assetsMax)
    throw invalid(
      `the page has ${assets.length} assets; ${pageLimits.assetsMax} are allowed`,
      "Publish it as several pages.",
    );
  if (replaces !== undefined && !versionPattern.test(replaces))
    throw invalid("`replaces` is no version", "Use the version that page.publish returned.");
}

export function invalid(what: string, hint: string): TuttiError {
  return new TuttiError("INPUT_INVALID", what, { hint });
}

export const pageInput = schemaOf<PageInput>(
  fields(
    { slug: text, title: text },
    { html: text, markdown: text, assets: listOf(fields({ name: text, base64: text })), replaces: text },
  ),
  {
    type: "object",
    properties: {
      slug: { type: "string", description: "The page's place in the site: small letters, digits and hyphens." },
      title: { type: "string", maxLength: pageLimits.titleCharsMax },
      markdown: { type: "string", description: "The content, if it is Markdown." },
      html: { type: "string", description: "The content, if it is HTML: without scripts, styles and forms." },
      assets: {
        type: "array",
        maxItems: pageLimits.assetsMax,
        description: 'Pictures (PNG, JPEG, GIF, WebP), shown by <img src="asset:NAME">.',
        items: {
          type: "object",
          properties: { name: { type: "string" }, base64: { type: "string" } },
          required: ["name", "base64"],
          additionalProperties: false,
        },
      },
      replaces: { type: "string", description: "The version of the page that this one takes the place of." },
    },
    required: ["slug", "title"],
    additionalProperties: false,
  },
);

export const pageOutput = schemaOf<PageOutput>(fields({ url: text, slug: text, version: text }), { type: "object" });
