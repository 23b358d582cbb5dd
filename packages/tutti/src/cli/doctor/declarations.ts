import type { Tool } from "../../contracts/callable.ts";
import type { Callable } from "../../contracts/run.ts";
import type { SourceFile } from "./source-file.ts";
import {
  calledOf,
  childOf,
  isFunction,
  isWhole,
  listOf,
  nameOf,
  propertyOf,
  textOf,
  valueOf,
  walk,
  type SyntaxNode,
} from "./syntax.ts";

const kinds = ["tool", "agent", "flow"] as const;

/** A tool, an agent or a flow where the code declares it. */
export interface Declared {
  readonly kind: (typeof kinds)[number];
  /** As it is called everywhere; undefined where the code computes it. */
  readonly name: string | undefined;
  /** The variable, or the property, that holds it. */
  readonly binding: string | undefined;
  readonly file: SourceFile;
  readonly node: SyntaxNode;
  /** The object that it was declared with. */
  readonly fields: SyntaxNode;
  /** Loading the file makes it: it stands in no function. */
  readonly isTop: boolean;
  /** The same, as the file made it, if it was loaded. */
  readonly loaded: Callable | undefined;
}

/** What a file declares with the functions of "tutti". */
export function readDeclarations(file: SourceFile, callables: readonly Callable[]): readonly Declared[] {
  const declared: Declared[] = [];
  walk(file.tree, (node, ancestors) => {
    const kind = kinds.find((each) => isImportedCall(file, node, each));
    const fields = listOf(node, "arguments")[0];
    if (kind === undefined || fields?.type !== "ObjectExpression") return;
    const above = ancestors.at(-1);
    const binding = nameOf(childOf(above, above?.type === "Property" ? "key" : "id"));
    const name = textOf(propertyOf(fields, "name"));
    const same = callables.filter((each) => each.kind === kind && each.name === name);
    const isTop = !ancestors.some(isFunction);
    declared.push({ kind, name, binding, file, node, fields, isTop, loaded: same.length === 1 ? same[0] : undefined });
  });
  return declared;
}

/** Whether a node calls something that the file imports from "tutti" under this name. */
export function isImportedCall(file: SourceFile, node: SyntaxNode, name: string): boolean {
  const called = calledOf(node);
  const imported = called === undefined ? undefined : file.imports.get(called);
  return imported?.name === name && imported.from === "tutti";
}

type ToolPart = "key" | "check" | "undo" | "timeoutMs" | "retry" | "reads" | "writes";

/** Whether a part is declared; `undefined` where neither the code nor the loaded declaration says so. */
export function declares({ loaded, fields }: Declared, part: ToolPart): boolean | undefined {
  if (loaded !== undefined) return part in loaded && Reflect.get(loaded, part) !== undefined;
  if (propertyOf(fields, part) !== undefined) return true;
  return isWhole(fields) ? false : undefined;
}

export function effectOf({ loaded, fields }: Declared): Tool["effect"] | undefined {
  if (loaded?.kind === "tool") return loaded.effect;
  const effect = textOf(propertyOf(fields, "effect"));
  return effect === "read" || effect === "local" || effect === "idempotent" || effect === "once" ? effect : undefined;
}

/** The names of what a callable reads or writes. */
export function resourcesOf({ loaded, fields }: Declared, part: "reads" | "writes"): readonly string[] {
  if (loaded !== undefined) return loaded[part] ?? [];
  return listOf(propertyOf(fields, part), "elements").flatMap((each) => textOf(each) ?? []);
}

/** The number under a path of keys, if the code says one. */
export function numberAt(object: SyntaxNode | undefined, ...keys: readonly string[]): number | undefined {
  let at = object;
  for (const key of keys) at = propertyOf(at, key);
  const value = valueOf(at);
  return typeof value === "number" ? value : undefined;
}

/** The function that does a callable's work, if it stands where it is declared or has a name in the same file. */
export function workOf({ fields, file }: Declared): SyntaxNode | undefined {
  const work = propertyOf(fields, "run");
  return isFunction(work) ? work : file.functions.get(nameOf(work) ?? "");
}

/** How a finding calls it. */
export function titleOf({ kind, name, binding }: Declared): string {
  return `${kind} ${name ?? binding ?? "without a written name"}`;
}
