/** SVG as text: escaped, with short numbers, and with colours for light and dark. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

export type Theme = "auto" | "light" | "dark";

/** What a mark is, which says its colour in either theme. */
export type Role = "paper" | "ink" | "quiet" | "grid" | "axis" | "box" | SeriesRole;
export type SeriesRole = `series-${number}`;

// Found by a search for colours that stay apart for every common kind of colour blindness and stand out from the paper; png.test.ts measures both.
const lightSeries = ["#066ece", "#c79a00", "#006361", "#dd56a6", "#34a8e7", "#9e3500", "#75876d", "#98761b"] as const;
const darkSeries = ["#4cbef0", "#ffa32d", "#33ab80", "#dea8b8", "#9ee6ff", "#ea5e38", "#9289b9", "#cfe653"] as const;

/** How many series have a colour of their own. */
export const seriesMax = lightSeries.length;

const roles: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  paper: ["#ffffff", "#0d1117"],
  ink: ["#1f2328", "#e6edf3"],
  quiet: ["#59636e", "#9aa4af"],
  grid: ["#dfe3e8", "#272d36"],
  axis: ["#818b96", "#6b7480"],
  box: ["#eef4fb", "#16202c"],
};

const fontFamily = "system-ui, Segoe UI, Roboto, DejaVu Sans, Arial, sans-serif";

export function toSeriesRole(index: number): SeriesRole {
  return `series-${index % seriesMax}`;
}

export function toColor(role: Role, theme: "light" | "dark"): string {
  const series = /^series-(\d+)$/.exec(role)?.[1];
  if (series !== undefined) return (theme === "dark" ? darkSeries : lightSeries)[Number(series)] ?? "#808080";
  const [light, dark] = roles[role] ?? ["#808080", "#808080"];
  return theme === "dark" ? dark : light;
}

/** Draws marks in one theme; with `auto` they are light, and dark where the reader prefers that. */
export interface Pen {
  /** `fill` and `stroke` name roles; every other attribute is written as it is. Children are SVG already. */
  mark(
    tag: string,
    attributes: Attributes & { readonly fill?: Role | "none"; readonly stroke?: Role },
    ...children: readonly string[]
  ): string;
  /** A line of text; the role is `ink` unless said otherwise. */
  text(content: string, place: Attributes & { readonly role?: Role }): string;
}

export function openPen(theme: Theme): Pen {
  const shown = theme === "dark" ? "dark" : "light";
  const mark: Pen["mark"] = (tag, { fill, stroke, class: kind, ...rest }, ...children) => {
    const colors = [
      fill === undefined || fill === "none" ? "" : `f-${fill}`,
      stroke === undefined ? "" : `s-${stroke}`,
    ];
    const classes = [kind ?? "", ...(theme === "auto" ? colors : [])].filter((name) => name !== "");
    return element(
      tag,
      {
        class: classes.length === 0 ? undefined : classes.join(" "),
        ...rest,
        fill: fill === undefined || fill === "none" ? fill : toColor(fill, shown),
        stroke: stroke === undefined ? undefined : toColor(stroke, shown),
      },
      ...children,
    );
  };
  return {
    mark,
    text: (content, { role = "ink", ...place }) => mark("text", { fill: role, ...place }, escapeText(content)),
  };
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
  /** Unique on a page that shows several drawings. */
  readonly id: string;
  readonly title: string;
  /** What is seen, in words. */
  readonly description: string;
}

/** A whole SVG document around marks. */
export function toDocument(drawing: Drawing, marks: readonly string[]): string {
  const { width, height, theme, id, title, description } = drawing;
  const pen = openPen(theme);
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-labelledby": `${id}-title ${id}-description`,
    "font-family": fontFamily,
  };
  return `${element(
    "svg",
    attributes,
    "\n",
    element("title", { id: `${id}-title` }, escapeText(title)),
    element("desc", { id: `${id}-description` }, escapeText(description)),
    "\n",
    ...(theme === "auto" ? [element("style", {}, toDarkStyle(marks.join(""))), "\n"] : []),
    pen.mark("rect", { width, height, fill: "paper" }),
    "\n",
    ...marks.flatMap((mark) => [mark, "\n"]),
  )}\n`;
}

// Presentation attributes give way to any rule of a style sheet, so the light colours need none.
function toDarkStyle(marks: string): string {
  const used = new Set(["f-paper", ...[...marks.matchAll(/\b[fs]-[a-z]+(?:-\d+)?(?=[ "])/g)].map(([name]) => name)]);
  const rules = [...used].toSorted().flatMap((name) => {
    const [property, role] = [name.startsWith("f-") ? "fill" : "stroke", name.slice(2)];
    return isRole(role) ? [`.${name}{${property}:${toColor(role, "dark")}}`] : [];
  });
  return `@media (prefers-color-scheme:dark){${rules.join("")}}`;
}

function isRole(name: string): name is Role {
  return Object.hasOwn(roles, name) || /^series-\d+$/.test(name);
}

export function element(tag: string, attributes: Attributes, ...children: readonly string[]): string {
  let text = `<${tag}`;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) text += ` ${name}="${typeof value === "number" ? toShort(value) : escapeText(value)}"`;
  }
  return children.length === 0 ? `${text}/>` : `${text}>${children.join("")}</${tag}>`;
}

/** A coordinate with at most two decimals. */
export function toShort(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  return String(rounded === 0 ? 0 : rounded); // no "-0"
}

const xmlControls: ReadonlySet<string> = new Set("\t\n\r");
const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text that can't become markup; signs that XML has no place for become `�`. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\p{Cc}|[\uFFFE\uFFFF]/gu, (sign) => (xmlControls.has(sign) ? sign : "\uFFFD"))
    .replaceAll(/[&<>"]/g, (sign) => escapes[sign] ?? sign);
}
