const textMax = 60;
const itemsMax = 3;
const depthMax = 3;
const previewMax = 160;

/**
 * A value in a few words, for people: `{topic: "tea", sources: [3 items]}`. Never longer than a line, whatever the value is.
 * What it quotes is untrusted; whoever prints it to a terminal strips control characters first.
 */
export function toPreview(value: unknown): string {
  return cut(describe(value, 0), previewMax);
}

/** A number of bytes as people write it. */
export function toByteText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function describe(value: unknown, depth: number): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") {
    const line = cut(value.replaceAll(/\s+/gu, " ").trim(), textMax);
    return depth === 0 ? line : JSON.stringify(line);
  }
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (typeof value !== "object") return typeof value; // JSON holds nothing else
  if (Array.isArray(value)) return describeList(value, depth);
  const fields = Object.entries(value);
  if (fields.length === 0) return "{}";
  if (depth >= depthMax) return "{…}";
  const shown = fields.slice(0, itemsMax).map(([name, item]) => `${name}: ${describe(item, depth + 1)}`);
  if (fields.length > itemsMax) shown.push(`+${fields.length - itemsMax}`);
  return `{${shown.join(", ")}}`;
}

function describeList(list: readonly unknown[], depth: number): string {
  if (list.length === 0) return "[]";
  const plain = list.every((item) => typeof item === "number" || typeof item === "boolean");
  if (plain && list.length <= itemsMax) return `[${list.join(", ")}]`;
  if (list.length === 1 && depth < depthMax) return `[${describe(list[0], depth + 1)}]`;
  return `[${list.length} items]`;
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  // Not between the two halves of a character outside the basic plane: half of one is not text.
  const end = /[\uD800-\uDBFF]/u.test(text.charAt(max - 2)) ? max - 2 : max - 1;
  return `${text.slice(0, end)}…`;
}
