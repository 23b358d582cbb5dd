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

const none: readonly StepKey[] = [];

export function openProvenance(): Provenance {
  // Many runs have nothing to remember.
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
      if (stepByObject === undefined && stepByText === undefined) return none;
      let steps: StepKey[] | undefined;
      walk(value, (node) => {
        const step = typeof node === "object" ? stepByObject?.get(node) : stepByText?.get(node);
        if (step === undefined) return;
        steps ??= [];
        if (!steps.includes(step)) steps.push(step);
      });
      return steps ?? none;
    },
  };
}

/** Visits objects and long texts, at most so many, in no order that would matter. */
function walk(value: unknown, visit: (node: object | string) => void): void {
  if (typeof value === "string" && value.length >= textLengthMin) visit(value);
  if (typeof value !== "object" || value === null) return;
  let left = nodesMax;
  const stack: object[] = [value];
  const look = (item: unknown): void => {
    if (typeof item === "object" && item !== null) stack.push(item);
    else if (typeof item === "string" && item.length >= textLengthMin) visit(item);
  };
  for (let node = stack.pop(); node !== undefined && left-- > 0; node = stack.pop()) {
    visit(node);
    if (Array.isArray(node)) node.forEach(look);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name comes from this very object
    else for (const name in node) look((node as Record<string, unknown>)[name]);
  }
}
