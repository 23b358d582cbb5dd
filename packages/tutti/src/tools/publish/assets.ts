import { sha256 } from "../../base/hash.ts";
import { invalid, pageLimits, type PageAsset } from "./page-input.ts";

/** A picture, under the name it has in the site. */
export interface SiteAsset {
  readonly file: string;
  readonly content: Uint8Array;
}

/**
 * The pictures by the names that the page uses. What they are is seen from their first bytes, not believed. SVG is not among them: opened
 * by itself it is a page that runs scripts.
 * @throws TuttiError INPUT_INVALID
 */
export function readAssets(assets: readonly PageAsset[]): ReadonlyMap<string, SiteAsset> {
  const byName = new Map<string, SiteAsset>();
  for (const { name, base64 } of assets) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name))
      throw invalid(
        `${JSON.stringify(name.slice(0, 100))} can't be the name of an asset`,
        "Use letters, digits and . _ - only.",
      );
    if (byName.has(name)) throw invalid(`there are two assets ${name}`, "Give each a name of its own.");
    const content = Buffer.from(base64, "base64");
    if (content.toString("base64") !== base64)
      throw invalid(`${name} is not base64`, "Use the standard alphabet with padding, without line breaks.");
    if (content.length > pageLimits.assetBytesMax)
      throw invalid(
        `${name} has ${content.length} bytes; ${pageLimits.assetBytesMax} are allowed`,
        "Make the picture smaller.",
      );
    const ending = endingOf(content);
    if (ending === undefined) throw invalid(`${name} is no picture that can be shown`, "Use PNG, JPEG, GIF or WebP.");
    byName.set(name, { file: `${sha256(content).slice(0, 32)}.${ending}`, content });
  }
  return byName;
}

function endingOf(content: Buffer): string | undefined {
  const start = content.toString("latin1", 0, 12);
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (start.startsWith("\xff\xd8\xff")) return "jpg";
  if (/^GIF8[79]a/.test(start)) return "gif";
  return start.startsWith("RIFF") && start.endsWith("WEBP") ? "webp" : undefined;
}
