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

export function openProvenance(): Provenance {
  const stepByObject = new WeakMap<object, StepKey>();
  const stepByText = new Map<string, StepKey>();
  return {
    produced(step, output) {
      walk(output, (node) => {
        if (typeof node === "object" && node !== null) stepByObject.set(node, step);
        else if (typeof node === "string" && node.length >= textLengthMin && stepByText.size < textsMax)
          stepByText.set(node, step);
      });
    },
    usedBy(value) {
      const steps = new Set<StepKey>();
      walk(value, (node) => {
        const step =
          typeof node === "object" && node !== null
            ? stepByObject.get(node)
            : typeof node === "string"
              ? stepByText.get(node)
              : undefined;
        if (step !== undefined) steps.add(step);
      });
      return [...steps];
    },
  };
}

function walk(value: unknown, visit: (node: unknown) => void): void {
  let left = nodesMax;
  const stack: unknown[] = [value];
  while (stack.length > 0 && left-- > 0) {
    const node = stack.pop();
    visit(node);
    if (typeof node !== "object" || node === null) continue;
    for (const item of Object.values(node)) {
      if (typeof item === "object" ? item !== null : typeof item === "string") stack.push(item);
    }
  }
}
