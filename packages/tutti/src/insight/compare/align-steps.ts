/** A step of one of two runs, or of both: it is the same step if it has the same path. */
export interface AlignedStep<Step> {
  readonly path: string;
  readonly left: Step | undefined;
  readonly right: Step | undefined;
}

interface WithPath {
  readonly path: string;
}

/**
 * Two orders of steps as one. What both have comes in the order of the run that came to it earlier; what only one has stands behind what it
 * came after there. Which run is called the left one changes nothing but the sides.
 */
export function alignSteps<Step extends WithPath>(
  left: readonly Step[],
  right: readonly Step[],
): readonly AlignedStep<Step>[] {
  const inLeft = toPlaces(left, right);
  const inRight = toPlaces(right, left);
  const anchors = new Map<string, number>();
  for (const [path, { anchor }] of inLeft) {
    const other = inRight.get(path);
    if (other !== undefined) anchors.set(path, Math.min(anchor, other.anchor));
  }
  const rows = [...new Set([...inLeft.keys(), ...inRight.keys()])].map((path) => {
    const ownLeft = inLeft.get(path);
    const ownRight = inRight.get(path);
    const own = ownLeft ?? ownRight;
    const isCommon = ownLeft !== undefined && ownRight !== undefined;
    const behind = own?.behind === undefined ? -1 : (anchors.get(own.behind) ?? -1);
    return {
      row: { path, left: ownLeft?.step, right: ownRight?.step },
      anchor: isCommon ? (anchors.get(path) ?? 0) : behind,
      group: isCommon ? path : (own?.behind ?? ""),
      offset: isCommon ? 0 : (own?.offset ?? 0),
    };
  });
  return rows
    .toSorted(
      (one, other) =>
        one.anchor - other.anchor ||
        compareWords(one.group, other.group) ||
        one.offset - other.offset ||
        compareWords(one.row.path, other.row.path),
    )
    .map(({ row }) => row);
}

interface PlaceInOrder<Step> {
  readonly step: Step;
  /** How many steps that both have stand before it. */
  readonly anchor: number;
  /** The last of those. */
  readonly behind: string | undefined;
  /** How far behind it. */
  readonly offset: number;
}

function toPlaces<Step extends WithPath>(
  own: readonly Step[],
  other: readonly Step[],
): ReadonlyMap<string, PlaceInOrder<Step>> {
  const others = new Set(other.map(({ path }) => path));
  const places = new Map<string, PlaceInOrder<Step>>();
  let anchor = 0;
  let behind: string | undefined;
  let offset = 0;
  for (const step of own) {
    const isCommon = others.has(step.path);
    offset = isCommon ? 0 : offset + 1;
    places.set(step.path, { step, anchor, behind, offset });
    if (!isCommon) continue;
    anchor += 1;
    behind = step.path;
  }
  return places;
}

function compareWords(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
