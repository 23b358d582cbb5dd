import type { Declared } from "./declarations.ts";
import type { Finding } from "./finding.ts";
import type { FlowCode } from "./flow-code.ts";
import { lineOf, type SourceFile } from "./source-file.ts";
import { nameOf, childOf, type SyntaxNode } from "./syntax.ts";

/** Everything that is looked at together. */
export interface Project {
  readonly files: readonly SourceFile[];
  readonly declared: readonly Declared[];
  readonly flows: readonly FlowCode[];
  /** A folder was named, so who is called from nowhere here is called from nowhere. */
  readonly isWhole: boolean;
  /** Whether the configuration, or a file that was loaded, declares budgets. */
  readonly hasBudgets: boolean;
  /** Whether the configuration declares a policy. */
  readonly hasPolicy: boolean;
}

/** One thing to look for. Says nothing where it can't know. */
export type Rule = (project: Project) => readonly Finding[];

export interface Place {
  readonly file: SourceFile;
  readonly node: SyntaxNode;
}

export function findingAt({ file, node }: Place, finding: Omit<Finding, "path" | "line">): Finding {
  return { ...finding, path: file.path, line: lineOf(file, node) };
}

/** The declaration that an expression names, by its variable: `planner`, `agents.planner`. Undefined where several could be meant. */
export function findDeclared({ declared }: Project, node: SyntaxNode | undefined): Declared | undefined {
  const name = node?.type === "MemberExpression" ? nameOf(childOf(node, "property")) : nameOf(node);
  const found = declared.filter(({ binding }) => name !== undefined && binding === name);
  return found.length === 1 ? found[0] : undefined;
}

export function toolsOf({ declared }: Project): readonly Declared[] {
  return declared.filter(({ kind }) => kind === "tool");
}
