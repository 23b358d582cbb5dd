import { TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { wholeFiles } from "../whole-files.ts";
import type { SiteAsset } from "./assets.ts";
import { readPageHead, toIndexHtml, type IndexEntry } from "./page-html.ts";
import { assetsFolder, isSlug } from "./page-input.ts";

/** A page that is about to stand in the site. */
export interface SitePage {
  readonly slug: string;
  readonly html: string;
  readonly assets: readonly SiteAsset[];
  readonly replaces: string | undefined;
}

/**
 * Pages in a folder, each with its history: `<slug>/index.html` is what is published, `.versions/<slug>/` keeps every version, and
 * `assets/` the pictures by their hash. A page changes in one instant, and its version says which one came before, like a chain.
 */
export interface Site {
  readonly folder: string;
  /** @throws TuttiError TOOL_FAILED when another version is there than the page replaces. */
  publish(page: SitePage): Promise<void>;
  /** Whether this version is published, or was and has been replaced since. */
  has(slug: string, version: string): Promise<boolean>;
  /** Takes a version back: what it replaced is there again, or nothing. Once taken back it stays so. */
  withdraw(slug: string, version: string): Promise<void>;
  /** Brings the list of pages up to date. */
  writeIndex(policy: string): Promise<void>;
}

const pageBytesMax = 8_000_000;
const pagesMax = 2_000;
const historyMax = 1_000;

export function toVersion(html: string): string {
  return sha256(html).slice(0, 32);
}

export function openSite(folder: string): Site {
  const files = wholeFiles(folder);
  const readText = async (...names: readonly string[]): Promise<string | undefined> =>
    (await files.read(names, pageBytesMax))?.toString("utf8");
  const readVersion = (slug: string, version: string): Promise<string | undefined> =>
    readText(".versions", slug, `${version}.html`);
  const isWithdrawn = async (slug: string, version: string): Promise<boolean> =>
    (await readText(".versions", slug, `${version}.withdrawn`)) !== undefined;

  const listPages = async (): Promise<readonly IndexEntry[]> => {
    const entries: IndexEntry[] = [];
    for (const slug of (await files.list([], pagesMax)).filter(isSlug)) {
      const html = await readText(slug, "index.html");
      if (html !== undefined) entries.push({ slug, titleHtml: readPageHead(html).titleHtml });
    }
    return entries;
  };

  return {
    folder: files.folder,
    async publish({ slug, html, assets, replaces }) {
      const current = await readText(slug, "index.html");
      if (current === html) return;
      const version = current === undefined ? undefined : toVersion(current);
      if (version !== replaces) throw occupied(slug, version);
      for (const { file, content } of assets) await files.write([assetsFolder, file], content);
      await files.write([".versions", slug, `${toVersion(html)}.html`], html);
      await files.remove([".versions", slug, `${toVersion(html)}.withdrawn`]);
      if (replaces !== undefined) await files.write([slug, "index.html"], html);
      else if (!(await files.create([slug, "index.html"], html))) throw occupied(slug, undefined);
    },
    async has(slug, version) {
      let html = await readText(slug, "index.html");
      for (let count = 0; html !== undefined && count < historyMax; count++) {
        if (toVersion(html) === version) return true;
        const { replaces } = readPageHead(html);
        html = replaces === undefined ? undefined : await readVersion(slug, replaces);
      }
      return false;
    },
    async withdraw(slug, version) {
      await files.write([".versions", slug, `${version}.withdrawn`], "");
      const current = await readText(slug, "index.html");
      if (current === undefined || toVersion(current) !== version) return;
      let { replaces } = readPageHead(current);
      for (let count = 0; replaces !== undefined && count < historyMax; count++) {
        const html = await readVersion(slug, replaces);
        if (html === undefined) break;
        if (!(await isWithdrawn(slug, replaces))) {
          await files.write([slug, "index.html"], html);
          return;
        }
        ({ replaces } = readPageHead(html));
      }
      await files.remove([slug, "index.html"]);
    },
    async writeIndex(policy) {
      const wanted = toIndexHtml(await listPages(), policy);
      if ((await readText("index.html")) !== wanted) await files.write(["index.html"], wanted);
    },
  };
}

function occupied(slug: string, version: string | undefined): TuttiError {
  const is = version === undefined ? "no page" : `version ${version}`;
  return new TuttiError("TOOL_FAILED", `at ${slug} there is ${is}, and not what the new page replaces`, {
    hint:
      version === undefined
        ? "Leave `replaces` out."
        : "Choose another slug, or set `replaces` to that version to put the page in its place.",
    facts: { slug, ...(version === undefined ? {} : { version }) },
  });
}
