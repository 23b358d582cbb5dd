import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { fields, integer, oneOf, text, type Shape } from "../base/shape.ts";
import type { Usage } from "../contracts/outcome.ts";
import { wholeFiles } from "./whole-files.ts";

/** A picture or a film that a tool made, and where it is. */
export interface Media {
  /** `image/svg+xml`, `image/png`, `video/mp4`, … */
  readonly mediaType: string;
  readonly bytes: number;
  /** SHA-256 of the bytes, 64 hexadecimal digits. */
  readonly hash: string;
  readonly content: MediaPlace;
}

/** What a call of a model for media spent, where its price is known. */
export function toMediaUsage(costUsd: number | undefined): Usage {
  const counts = { modelCalls: 1, inputTokens: 0, outputTokens: 0 };
  return costUsd === undefined ? { ...counts, unpricedCalls: 1 } : { ...counts, costUsd };
}

/** The thing itself, or the file that holds it. */
export type MediaPlace =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "base64"; readonly base64: string }
  | { readonly kind: "file"; readonly file: string };

/** Puts bytes where they stay. The same bytes may be kept twice: they are one. */
export interface MediaKeeper {
  keep(content: Uint8Array, mediaType: string): Promise<Media>;
}

/** What the ledger is given at most; it stores a value over 32 KB once, by its hash. */
const ledgerBytesMax = 8 * 1024 * 1024;

const endings: Readonly<Record<string, string>> = {
  "image/svg+xml": "svg",
  "image/png": "png",
  "image/apng": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
  "image/gif": "gif",
  "video/mp4": "mp4",
  "video/webm": "webm",
  "video/quicktime": "mov",
};

/** Keeps it in the ledger itself, with the result of the step: SVG as text, all else as base64. */
export const ledgerKeeper: MediaKeeper = {
  async keep(content, mediaType) {
    if (content.byteLength > ledgerBytesMax) {
      throw new TuttiError(
        "VALUE_NOT_STORABLE",
        `${content.byteLength} bytes of ${mediaType} are too many for the ledger`,
        {
          hint: "Keep media in a folder: give the tool `keeper: folderKeeper(…)`.",
          facts: { bytes: content.byteLength, bytesMax: ledgerBytesMax },
        },
      );
    }
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const isText = mediaType === "image/svg+xml";
    return describe(
      content,
      mediaType,
      isText ? { kind: "text", text: bytes.toString("utf8") } : { kind: "base64", base64: bytes.toString("base64") },
    );
  },
};

/** Keeps each in a file of this folder that is named by its hash; the ledger and the models see its name only. */
export function folderKeeper(folder: string): MediaKeeper {
  const files = wholeFiles(folder);
  return {
    async keep(content, mediaType) {
      const names = [`${sha256(content)}.${endings[mediaType] ?? "bin"}`];
      await files.write(names, content); // again and again the same bytes: whatever damaged a file is mended
      return describe(content, mediaType, { kind: "file", file: files.pathOf(names) });
    },
  };
}

function describe(content: Uint8Array, mediaType: string, place: MediaPlace): Media {
  return { mediaType, bytes: content.byteLength, hash: sha256(content), content: place };
}

const placeShape: Shape<MediaPlace> = (value, where) => {
  const { kind } = fields({ kind: oneOf("text", "base64", "file") })(value, where);
  switch (kind) {
    case "text":
      return fields({ kind: oneOf("text"), text })(value, where);
    case "base64":
      return fields({ kind: oneOf("base64"), base64: text })(value, where);
    case "file":
      return fields({ kind: oneOf("file"), file: text })(value, where);
  }
};

export const mediaFields = { mediaType: text, bytes: integer, hash: text, content: placeShape } as const;
