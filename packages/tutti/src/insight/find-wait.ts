import { isOpen, type StepNode } from "./run-tree.ts";

export const waitPattern = /^wait-(?<signal>.+?)(?:#\d+)?$/u;

/** What the step is called that waits: an event comes as the signal `@topic key`, and its step is named by the topic. */
export function toWaitName(signal: string): string {
  return signal.startsWith("@") ? (signal.slice(1).split(" ")[0] ?? "") : signal;
}

/** The first step that waits for a signal of this name, as the flow's own order has it. */
export function findWait(node: StepNode, signal: string): StepNode | undefined {
  for (const child of node.children) {
    if (!isOpen(child.state)) continue;
    const waits = child.kind === "signal" && waitPattern.exec(child.name)?.groups?.["signal"] === signal;
    const found = waits ? child : findWait(child, signal);
    if (found !== undefined) return found;
  }
  return undefined;
}
