const names: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text that is safe in HTML, in attributes too. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => names[sign] ?? sign);
}

/** A piece of HTML that may be put into another as it is. */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Html[];

/** Writes HTML: `` html`<p>${text}</p>` ``. Every value is escaped, except HTML that was written the same way. */
export function html(texts: TemplateStringsArray, ...values: readonly Part[]): Html {
  const parts = texts.flatMap((text, index) => {
    const value = values[index];
    return value === undefined ? [text] : [text, toText(value)];
  });
  return { html: parts.join("") };
}

/** HTML that comes from a place that escapes for itself, such as the chart. */
export function trusted(text: string): Html {
  return { html: text };
}

function toText(value: Part): string {
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return "html" in value ? value.html : value.map((part) => part.html).join("\n");
}
