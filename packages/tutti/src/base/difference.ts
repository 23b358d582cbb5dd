/** One place at which two JSON values differ; a side that has nothing there is missing. */
export interface Difference {
  /** `left`, `items.0.price`; "" for the whole. */
  readonly path: string;
  readonly before?: unknown;
  readonly now?: unknown;
}

/** More places than this are told as one: the whole that holds them. */
const differencesMax = 100;
/** What lies deeper is told as one. */
const depthMax = 20;

/** Where two JSON values differ, outermost first. Lists are compared place by place. */
export function toDifferences(before: unknown, now: unknown): readonly Difference[] {
  const found: Difference[] = [];
  compare({ path: "", before, now }, { found, depth: 0 });
  return found.length > differencesMax ? [{ path: "", before, now }] : found;
}

interface Search {
  readonly found: Difference[];
  readonly depth: number;
}

function compare(place: Required<Difference>, { found, depth }: Search): void {
  const { path, before, now } = place;
  if (found.length > differencesMax || before === now) return;
  if (!isNested(before) || !isNested(now) || Array.isArray(before) !== Array.isArray(now) || depth === depthMax) {
    found.push({ path, ...(before === undefined ? {} : { before }), ...(now === undefined ? {} : { now }) });
    return;
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const inner = { path: path === "" ? name : `${path}.${name}`, before: before[name], now: now[name] };
    compare(inner, { found, depth: depth + 1 });
  }
}

function isNested(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
