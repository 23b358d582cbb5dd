/** A node of a syntax tree (ESTree), with positions in the text. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

export type Ancestors = readonly SyntaxNode[];

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

export function fieldOf(node: SyntaxNode, name: string): unknown {
  return Object.hasOwn(node, name) ? Reflect.get(node, name) : undefined;
}

export function childOf(node: SyntaxNode | undefined, name: string): SyntaxNode | undefined {
  const value = node === undefined ? undefined : fieldOf(node, name);
  return isNode(value) ? value : undefined;
}

export function listOf(node: SyntaxNode | undefined, name: string): readonly SyntaxNode[] {
  const value = node === undefined ? undefined : fieldOf(node, name);
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  return Object.values(node).flatMap((value: unknown): readonly SyntaxNode[] =>
    isNode(value) ? [value] : Array.isArray(value) ? value.filter(isNode) : [],
  );
}

/** Visits a node and everything in it, parents first. What answers `skip` is not looked into. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, ancestors: Ancestors) => "skip" | void,
  ancestors: Ancestors = [],
): void {
  if (visit(node, ancestors) === "skip") return;
  const below = [...ancestors, node];
  for (const child of childrenOf(node)) walk(child, visit, below);
}

export function contains(node: SyntaxNode | undefined, isWanted: (node: SyntaxNode) => boolean): boolean {
  if (node === undefined) return false;
  return isWanted(node) || childrenOf(node).some((child) => contains(child, isWanted));
}

/** The name of an identifier, or of a key that is written as a string. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  const name = node?.type === "Identifier" ? fieldOf(node, "name") : textOf(node);
  return typeof name === "string" ? name : undefined;
}

/** The text of a literal that says all of it. */
export function textOf(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === "TemplateLiteral" && listOf(node, "expressions").length === 0)
    return textOfPiece(listOf(node, "quasis")[0]);
  const value = node?.type === "Literal" ? fieldOf(node, "value") : undefined;
  return typeof value === "string" ? value : undefined;
}

/** The text of a piece of a template. */
export function textOfPiece(piece: SyntaxNode | undefined): string | undefined {
  const value = piece === undefined ? undefined : fieldOf(piece, "value");
  if (typeof value !== "object" || value === null || !("cooked" in value)) return undefined;
  return typeof value.cooked === "string" ? value.cooked : undefined;
}

/** A plain value: a literal, `undefined`, or `Infinity`. */
export function valueOf(node: SyntaxNode | undefined): unknown {
  if (node?.type === "Literal") return fieldOf(node, "value");
  return nameOf(node) === "Infinity" ? Infinity : textOf(node);
}

export function isFunction(node: SyntaxNode | undefined): node is SyntaxNode {
  return node !== undefined && /^(?:ArrowFunctionExpression|FunctionExpression|FunctionDeclaration)$/u.test(node.type);
}

/** What is called or read, as dotted names: `Date.now`, `run.call`, `fetch`; undefined where it is computed. */
export function dottedOf(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === "Identifier") return nameOf(node);
  if (node?.type === "ChainExpression") return dottedOf(childOf(node, "expression"));
  if (node?.type !== "MemberExpression" || fieldOf(node, "computed") === true) return undefined;
  const object = dottedOf(childOf(node, "object"));
  const property = nameOf(childOf(node, "property"));
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

export function calledOf(node: SyntaxNode | undefined): string | undefined {
  return node?.type === "CallExpression" ? dottedOf(childOf(node, "callee")) : undefined;
}

/** The value under a key of an object literal. */
export function propertyOf(object: SyntaxNode | undefined, key: string): SyntaxNode | undefined {
  const found = listOf(object, "properties").find((each) => nameOf(childOf(each, "key")) === key);
  return childOf(found, "value");
}

/** Whether an object literal shows everything that is in it. */
export function isWhole(object: SyntaxNode | undefined): boolean {
  return (
    object?.type === "ObjectExpression" &&
    listOf(object, "properties").every((each) => each.type === "Property" && fieldOf(each, "computed") !== true)
  );
}

/** Whether a name is used anywhere in a node. */
export function mentions(node: SyntaxNode | undefined, name: string): boolean {
  return contains(node, (each) => each.type === "Identifier" && nameOf(each) === name);
}
