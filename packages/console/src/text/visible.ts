/**
 * Text of agents and of the world, with nothing in it that hides: control characters, marks that turn the direction of text around, and
 * characters without width are shown by their number. Line breaks and tabs stay.
 */
export function toVisible(text: string): string {
  return text.replaceAll(hidden, (found) => `⟨U+${found.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

const hidden =
  // oxlint-disable-next-line no-control-regex -- these are exactly what it is for
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]/gu;

/** A value as indented JSON, or the text itself. */
export function toText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, undefined, 2) ?? "");
}
