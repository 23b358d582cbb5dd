/** What a reader makes of a document. */
export interface PlainText {
  readonly text: string;
  /** What the document calls itself, if it says so. */
  readonly title: string | undefined;
}

/**
 * Text from bytes, or nothing when they are not text. The named encoding, where there is such a one and the bytes fit; else UTF-8 as nearly
 * all text is, UTF-16 where a mark says so, and the western encoding that any byte fits.
 */
export function decodeText(bytes: Uint8Array, charset?: string): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  const named = charset === undefined ? undefined : tryDecode(bytes, charset);
  const text = named ?? tryDecode(bytes, "utf-8") ?? new TextDecoder("windows-1252").decode(bytes);
  return text.includes("\0") ? undefined : text;
}

function tryDecode(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined; // no such encoding, or the bytes are not in it
  }
}

/** Without the spaces at the ends of lines and the blank lines that a layout leaves behind. */
export function withoutBlanks(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  return lines
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}
