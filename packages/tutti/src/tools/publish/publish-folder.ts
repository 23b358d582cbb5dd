import path from "node:path";
import { pathToFileURL } from "node:url";

import { describeThrown, TuttiError } from "../../base/errors.ts";
import type { Tool } from "../../contracts/callable.ts";
import type { Provider } from "../provider.ts";
import { tool } from "../tool.ts";
import { readAssets, type SiteAsset } from "./assets.ts";
import { toPageHtml, toPolicy } from "./page-html.ts";
import { assetsFolder, checkPage, pageInput, pageOutput, type PageInput, type PageOutput } from "./page-input.ts";
import { toHtml, toSafeHtml } from "./safe-html.ts";
import { openSite, toVersion, type SitePage } from "./site.ts";
import { inTurn } from "./turns.ts";

export interface PublishOptions {
  /** The site: is made when the first page comes. One process publishes to it. */
  readonly folder: string;
  /** Where the folder is served, with a slash at its end; without it a page's address is that of its file. */
  readonly baseUrl?: string;
  /** Origins that pictures may come from beside the site: `https://images.example.org`. None by default. */
  readonly imagesFrom?: readonly string[];
}

/**
 * The tool `page.publish`: puts a page into a static site. The page can't do anything: its HTML is reduced to a list of tags, and a policy in
 * its head forbids scripts and loads. It appears in one instant; undo brings back what was there before.
 * @throws TuttiError DEFINITION_INVALID
 */
export function publishFolder(options: PublishOptions): Tool<PageInput, PageOutput> {
  const { run, check, undo } = folderPublisher(options);
  return tool<PageInput, PageOutput>({
    name: "page.publish",
    does: "Publishes a page and returns its address.",
    input: pageInput,
    output: pageOutput,
    effect: "once",
    // One page per slug, whoever asks; putting another in its place is another action.
    key: ({ slug, replaces }) => (replaces === undefined ? slug : `${slug}@${replaces}`),
    run,
    check,
    undo,
  });
}

type Publisher = Required<Provider<PageInput, PageOutput>>;

function folderPublisher({ folder, baseUrl, imagesFrom = [] }: PublishOptions): Publisher {
  checkOptions(baseUrl, imagesFrom);
  const site = openSite(folder);
  const policy = toPolicy(imagesFrom);
  const toOutput = ({ slug, html }: SitePage): PageOutput => ({
    slug,
    version: toVersion(html),
    url:
      baseUrl === undefined
        ? pathToFileURL(path.join(site.folder, slug, "index.html")).href
        : new URL(`${slug}/`, baseUrl).href,
  });
  return {
    name: "folder",
    async run(input, { signal, report }) {
      const page = await toPage(input, imagesFrom);
      const output = toOutput(page);
      return inTurn(site.folder, async () => {
        signal.throwIfAborted();
        await site.publish(page);
        await site.writeIndex(policy).catch((error: unknown) => {
          // The page is there; only the list of pages is not, and `check` makes it.
          throw new TuttiError("TOOL_INTERRUPTED", `the list of pages could not be written: ${describeThrown(error)}`, {
            cause: error,
          });
        });
        report({ provider: "folder", note: `published at ${output.url}` });
        return output;
      });
    },
    async check(input) {
      const page = await toPage(input, imagesFrom);
      return inTurn(site.folder, async () => {
        if (!(await site.has(page.slug, toVersion(page.html)))) return undefined;
        await site.writeIndex(policy);
        return toOutput(page);
      });
    },
    undo: async ({ slug, version }) =>
      inTurn(site.folder, async () => {
        await site.withdraw(slug, version);
        await site.writeIndex(policy);
      }),
  };
}

async function toPage(input: PageInput, imagesFrom: readonly string[]): Promise<SitePage> {
  checkPage(input);
  const { slug, title, html, markdown, assets = [], replaces } = input;
  const given = readAssets(assets);
  const shown = new Map<string, SiteAsset>();
  const body = await toSafeHtml(html ?? (await toHtml(markdown ?? "")), {
    imagesFrom,
    assetUrl(name) {
      const asset = given.get(name);
      if (asset === undefined) return undefined;
      shown.set(asset.file, asset);
      return `../${assetsFolder}/${asset.file}`;
    },
  });
  return {
    slug,
    html: toPageHtml({ title, body, policy: toPolicy(imagesFrom), replaces }),
    assets: [...shown.values()],
    replaces,
  };
}

function checkOptions(baseUrl: string | undefined, imagesFrom: readonly string[]): void {
  if (
    baseUrl !== undefined &&
    !(URL.canParse(baseUrl) && /^https?:$/.test(new URL(baseUrl).protocol) && new URL(baseUrl).pathname.endsWith("/"))
  )
    throw wrongOption(
      `baseUrl ${JSON.stringify(baseUrl)} can't be used`,
      "Write it like https://pages.example.org/ with a slash at its end.",
    );
  for (const origin of imagesFrom)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin || !origin.startsWith("https://"))
      throw wrongOption(
        `imagesFrom ${JSON.stringify(origin)} is no origin`,
        "Write it like https://images.example.org, without a path.",
      );
}

function wrongOption(what: string, hint: string): TuttiError {
  return new TuttiError("DEFINITION_INVALID", `publishFolder: ${what}`, { hint });
}
