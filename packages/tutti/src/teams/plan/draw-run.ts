import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { StepKey } from "../../contracts/ids.ts";
import type { DrawnArrow, DrawnBox, Drawing } from "./drawing.ts";

/** A renderer takes so many boxes; of larger runs the first are drawn. */
const boxesMax = 50;

interface Unit extends DrawnBox {
  readonly uses: readonly StepKey[];
}

/** What a run did, as recorded: who was called, what was handed from whom to whom, and what was changed outside. */
export function drawRun(entries: readonly LedgerEntry[]): Drawing {
  const units = new Map<string, Unit>();
  let flow = "run";
  let outputUses: readonly StepKey[] = [];
  for (const entry of entries) {
    if (entry.kind === "run-started") flow = bodyOf(entry, entry.kind).flow;
    if (entry.kind === "run-done") outputUses = bodyOf(entry, entry.kind).uses ?? [];
    const unit = toUnit(entry);
    if (unit !== undefined && !units.has(unit.id) && !isInside(unit.id, units)) units.set(unit.id, unit);
  }
  const shown = new Map([...units].slice(0, boxesMax));
  const arrows = [...shown.values()].flatMap((unit) => arrowsTo(unit.id, unit.uses, shown));
  return {
    title: flow,
    boxes: [
      { id: "input", label: "input", shape: "end" },
      ...[...shown.values()].map(({ id, label, shape }) => ({ id, label, shape })),
      { id: "output", label: "output", shape: "end" },
    ],
    arrows: [...arrows, ...arrowsTo("output", outputUses, shown).filter(({ from }) => from !== "input")],
    remarks: [
      "Drawn from what one run recorded: a run with another input may take other ways.",
      "Arrows are values that were handed on; numbers and short texts are not followed.",
      ...(units.size > shown.size ? [`${units.size - shown.size} later steps are not drawn.`] : []),
    ],
  };
}

function toUnit(entry: LedgerEntry): Unit | undefined {
  const { kind, key } = entry;
  switch (kind) {
    case "step-done": {
      const { call, uses = [] } = bodyOf(entry, kind);
      return { id: key, label: call === undefined ? key : `${call}\n${key}`, shape: "task", uses };
    }
    case "effect-intended": {
      const { tool, uses = [], class: effect } = bodyOf(entry, kind);
      return { id: key, label: `${tool}\nchanges things: ${effect}\n${key}`, shape: "effect", uses };
    }
    case "agent-started": {
      const { agent, uses = [] } = bodyOf(entry, kind);
      return { id: key, label: `${agent} (agent)\n${key}`, shape: "task", uses };
    }
    case "child-started": {
      const { flow, uses = [] } = bodyOf(entry, kind);
      return { id: key, label: `${flow} (flow)\n${key}`, shape: "task", uses };
    }
    default:
      return undefined;
  }
}

// What an agent does inside is its own.
function isInside(key: string, units: ReadonlyMap<string, Unit>): boolean {
  for (let end = key.lastIndexOf("/"); end > 0; end = key.lastIndexOf("/", end - 1))
    if (units.has(key.slice(0, end))) return true;
  return false;
}

function arrowsTo(to: string, uses: readonly StepKey[], units: ReadonlyMap<string, Unit>): readonly DrawnArrow[] {
  const from = [...new Set(uses.map((key) => toOutermost(key, units)))].filter(
    (key) => key !== undefined && key !== to,
  );
  if (from.length === 0) return [{ from: "input", to, kind: "order" }];
  return from.flatMap((key): DrawnArrow[] => (key === undefined ? [] : [{ from: key, to, kind: "data" }]));
}

function toOutermost(key: string, units: ReadonlyMap<string, Unit>): string | undefined {
  if (units.has(key)) return key;
  for (let end = key.lastIndexOf("/"); end > 0; end = key.lastIndexOf("/", end - 1))
    if (units.has(key.slice(0, end))) return key.slice(0, end);
  return undefined;
}
