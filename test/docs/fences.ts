/** A block of code in a document. */
export interface Fence {
  /** The document, from the root of the repository. */
  readonly path: string;
  /** The line of the document on which the code begins. */
  readonly line: number;
  /** What stands behind the opening marks: `ts`, `text prints`. */
  readonly info: string;
  readonly code: string;
}

/** A fence that is run, and what its document says that it prints. */
export interface Program {
  readonly fence: Fence;
  readonly prints: string | undefined;
}

/** Every fence of a document, in order. */
export function readFences(path: string, text: string): Fence[] {
  const fences: Fence[] = [];
  let open: { readonly info: string; readonly line: number; readonly code: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const mark = /^```(.*)$/.exec(line);
    if (mark === null) open?.code.push(line);
    else if (open === undefined) open = { info: (mark[1] ?? "").trim(), line: index + 2, code: [] };
    else {
      fences.push({ path, line: open.line, info: open.info, code: `${open.code.join("\n")}\n` });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.line - 1}: a fence is not closed`);
  return fences;
}

export function isTypeScript(fence: Fence): boolean {
  return fence.info === "ts";
}

/** Those that open an engine. What the fence `text prints` after one holds is what it must print. */
export function findPrograms(fences: readonly Fence[]): Program[] {
  return fences.flatMap((fence, index): Program[] => {
    if (!isTypeScript(fence) || !/^(?!\s).*await openTutti\(/m.test(fence.code)) return [];
    const next = fences[index + 1];
    const prints = next?.path === fence.path && next.info === "text prints" ? next.code : undefined;
    return [{ fence, prints }];
  });
}
