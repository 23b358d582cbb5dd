import type { ModelRequest } from "../contracts/model.ts";

/** A recorded request, and where another one differs from it. */
export interface Nearest {
  readonly index: number;
  readonly differences: readonly Difference[];
}

interface Difference {
  /** `messages[1].text` */
  readonly path: string;
  readonly recorded: string | undefined;
  readonly asked: string | undefined;
}

const shownMax = 6;
const excerptMax = 80;
const excerptLead = 20;

/** The recorded request that differs in the fewest places, and there the least; the first of several. */
export function findNearest(recorded: readonly ModelRequest[], asked: ModelRequest): Nearest | undefined {
  const wanted = toLeaves(asked);
  let nearest: Nearest | undefined;
  let least = Infinity;
  for (const [index, request] of recorded.entries()) {
    const differences = compare(toLeaves(request), wanted);
    const distance = differences.reduce((sum, difference) => sum + 1 + toDistance(difference), 0);
    if (distance >= least) continue;
    least = distance;
    nearest = { index, differences };
  }
  return nearest;
}

/** How much of two texts is not their common beginning, in [0, 1]. */
function toDistance({ recorded = "", asked = "" }: Difference): number {
  return 1 - firstDifference(recorded, asked) / Math.max(recorded.length, asked.length, 1);
}

/** One line for each place that differs, with the words around the first difference in it. */
export function describeDifference({ differences }: Nearest): string {
  const lines = differences.slice(0, shownMax).map(({ path, recorded, asked }) => {
    const from = Math.max(0, firstDifference(recorded ?? "", asked ?? "") - excerptLead);
    return `  ${path}: recorded ${excerpt(recorded, from)}, asked ${excerpt(asked, from)}`;
  });
  const more = differences.length - lines.length;
  return [...lines, ...(more > 0 ? [`  and ${more} more places`] : [])].join("\n");
}

function compare(recorded: ReadonlyMap<string, string>, asked: ReadonlyMap<string, string>): Difference[] {
  const paths = [...new Set([...recorded.keys(), ...asked.keys()])];
  return paths
    .map((path) => ({ path, recorded: recorded.get(path), asked: asked.get(path) }))
    .filter((difference) => difference.recorded !== difference.asked);
}

function toLeaves(value: unknown, path = "", leaves = new Map<string, string>()): ReadonlyMap<string, string> {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) toLeaves(item, `${path}[${index}]`, leaves);
  else if (typeof value === "object" && value !== null)
    for (const [name, item] of Object.entries(value)) toLeaves(item, path === "" ? name : `${path}.${name}`, leaves);
  else if (value !== undefined) leaves.set(path, typeof value === "string" ? value : JSON.stringify(value));
  return leaves;
}

function firstDifference(left: string, right: string): number {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  return at;
}

function excerpt(text: string | undefined, from: number): string {
  if (text === undefined) return "nothing";
  const cut = text.slice(from, from + excerptMax);
  return `${from > 0 ? "…" : ""}${JSON.stringify(cut)}${from + excerptMax < text.length ? "…" : ""}`;
}
