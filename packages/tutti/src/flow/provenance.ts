import type { StepKey } from "../contracts/ids.ts";

/**
 * Remembers which step produced a value, so that a later step's entry can name what it was built from.
 * Objects are recognised by identity, also when they were picked out of a result; long texts by content.
 */
export interface Provenance {
  produced(step: StepKey, output: unknown): void;
  /** The steps whose outputs are part of this value, in order of first use. */
  usedBy(value: unknown): readonly StepKey[];
}

const nodesMax = 2_000;
const textLengthMin = 24;
const textsMax = 5_000;

export const noSteps: readonly StepKey[] = [];

/** Whether a value, or a part of it, could be known again: numbers and short words could be anything. */
export function isRecognisable(value: unknown): boolean {
  return typeof value === "string" ? value.length >= textLengthMin : typeof value === "object" && value !== null;
}

export function openProvenance(): Provenance {
  let stepByObject: WeakMap<object, StepKey> | undefined;
  let stepByText: Map<string, StepKey> | undefined;

  function note(node: object | string, step: StepKey): void {
    if (typeof node === "object") (stepByObject ??= new WeakMap()).set(node, step);
    else if ((stepByText ??= new Map()).size < textsMax) stepByText.set(node, step);
  }

  return {
    produced(step, output) {
      walk(output, (node) => note(node, step));
    },
    usedBy(value) {
      let steps: StepKey[] | undefined;
      walk(value, (node) => {
        const step = typeof node === "object" ? stepByObject?.get(node) : stepByText?.get(node);
        if (step === undefined) return;
        steps ??= [];
        if (!steps.includes(step)) steps.push(step);
      });
      return steps ?? noSteps;
    },
  };
}

/** Visits objects and long texts, at most so many, in no order that would matter. */
function walk(value: unknown, visit: (node: object | string) => void): void {
  if (!isRecognisable(value)) return;
  if (typeof value === "string") visit(value);
  if (typeof value !== "object" || value === null) return;
  let left = nodesMax;
  const stack: object[] = [value];
  const look = (item: unknown): void => {
    if (typeof item === "object" && item !== null) stack.push(item);
    else if (typeof item === "string" && isRecognisable(item)) visit(item);
  };
  for (let node = stack.pop(); node !== undefined && left-- > 0; node = stack.pop()) {
    visit(node);
    if (Array.isArray(node)) node.forEach(look);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name comes from this very object
    else for (const name in node) look((node as Record<string, unknown>)[name]);
  }
}
