import { stripTypeScriptTypes } from "node:module";

import { parse } from "acorn";

import { describeThrown, TuttiError } from "../../base/errors.ts";
import { childOf, fieldOf, isNode, listOf, nameOf, textOf, walk, type SyntaxNode } from "./syntax.ts";

/** A file as its text says it. */
export interface SourceFile {
  /** From the working directory. */
  readonly path: string;
  readonly text: string;
  readonly tree: SyntaxNode;
  /** What is imported, by the name that it has here. */
  readonly imports: ReadonlyMap<string, Imported>;
  /** Functions by name, wherever they are declared. A name that is declared twice is left out. */
  readonly functions: ReadonlyMap<string, SyntaxNode>;
}

export interface Imported {
  readonly from: string;
  readonly name: string;
}

/**
 * Parses a file as Node runs it: types are replaced by blanks, so every position stays.
 * @throws TuttiError FLOW_FILE_INVALID
 */
export function parseSource(path: string, text: string): SourceFile {
  try {
    const code = /\.[cm]?ts$/u.test(path) ? stripTypes(text) : text;
    const tree = toNode(parse(code, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true }));
    return { path, text, tree, imports: readImports(tree), functions: readFunctions(tree) };
  } catch (error) {
    throw new TuttiError("FLOW_FILE_INVALID", `${path} can't be read: ${describeThrown(error)}`, {
      hint: "Node has to be able to run it: it only strips types, so no enum and no namespace.",
      cause: error,
    });
  }
}

/** The line of a position, from 1. */
export function lineOf(file: SourceFile, node: SyntaxNode): number {
  return file.text.slice(0, node.start).split("\n").length;
}

// Node says once per process that the function may still change; users of a command can do nothing about it.
function stripTypes(text: string): string {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function toNode(tree: unknown): SyntaxNode {
  if (isNode(tree)) return tree;
  throw new TypeError("the parser gave no tree");
}

function readImports(tree: SyntaxNode): ReadonlyMap<string, Imported> {
  const imports = new Map<string, Imported>();
  for (const statement of listOf(tree, "body")) {
    const from = statement.type === "ImportDeclaration" ? textOf(childOf(statement, "source")) : undefined;
    if (from === undefined) continue;
    for (const specifier of listOf(statement, "specifiers")) {
      const local = nameOf(childOf(specifier, "local"));
      if (local !== undefined) imports.set(local, { from, name: nameOf(childOf(specifier, "imported")) ?? "default" });
    }
  }
  return imports;
}

function readFunctions(tree: SyntaxNode): ReadonlyMap<string, SyntaxNode> {
  const functions = new Map<string, SyntaxNode>();
  const twice = new Set<string>();
  const add = (name: string | undefined, node: SyntaxNode | undefined): void => {
    if (name === undefined || node === undefined) return;
    if (functions.has(name)) twice.add(name);
    functions.set(name, node);
  };
  walk(tree, (node) => {
    if (node.type === "FunctionDeclaration") add(nameOf(childOf(node, "id")), node);
    const init = node.type === "VariableDeclarator" ? childOf(node, "init") : undefined;
    if (init !== undefined && /^(?:Arrow)?FunctionExpression$/u.test(init.type)) add(nameOf(childOf(node, "id")), init);
  });
  for (const name of twice) functions.delete(name);
  return functions;
}

/** Whether loading the file does nothing but declare: no call, loop or wait stands at its top. */
export function onlyDeclares({ tree }: SourceFile): boolean {
  return listOf(tree, "body").every((statement) => {
    if (/^(?:Import|Export|Function|Class)/u.test(statement.type)) return !awaits(statement);
    if (statement.type === "VariableDeclaration") return !awaits(statement);
    return fieldOf(statement, "directive") !== undefined || statement.type === "EmptyStatement";
  });
}

function awaits(statement: SyntaxNode): boolean {
  let found = false;
  walk(statement, (node) => {
    if (/Function/u.test(node.type)) return "skip";
    if (node.type === "AwaitExpression") found = true;
    return undefined;
  });
  return found;
}
