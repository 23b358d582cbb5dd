import type { ComparedStep, Comparison } from "tutti/client";

/** What stands in the list: a step of the two runs, or some alike ones together. */
export type ShownRow =
  | { readonly kind: "step"; readonly step: ComparedStep }
  | { readonly kind: "alike"; readonly path: string; readonly steps: number; readonly shared: number };

/** Steps that are alike are told together, unless all are wanted. */
export function toShownRows({ steps }: Comparison, isAll: boolean): readonly ShownRow[] {
  const rows: ShownRow[] = [];
  for (const step of steps) {
    const last = rows.at(-1);
    if (isAll || step.differs.length > 0) rows.push({ kind: "step", step });
    else if (last?.kind === "alike")
      rows[rows.length - 1] = { ...last, steps: last.steps + 1, shared: last.shared + Number(step.isShared) };
    else rows.push({ kind: "alike", path: step.path, steps: 1, shared: Number(step.isShared) });
  }
  return rows;
}
