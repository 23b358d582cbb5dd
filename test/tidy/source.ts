import path from "node:path";

import { parseSync } from "oxc-parser";

/** A file as the rules see it: its path from the root of the repository, with `/`, and its text. */
export interface TidyFile {
  readonly path: string;
  readonly text: string;
}

/** What a rule found, and where. */
export interface Finding {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** A rule looks at files and does nothing else, so that it can be tried on planted ones. */
export type Rule = (files: readonly TidyFile[]) => Finding[];

/** A node of the syntax tree; the rules look only at the fields they name. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

interface Comment {
  readonly value: string;
  readonly start: number;
}

interface Parsed {
  readonly nodes: readonly Visited[];
  readonly comments: readonly Comment[];
}

/** A node with the one it is in, and the name of the field it is in. */
export interface Visited {
  readonly node: SyntaxNode;
  readonly parent: SyntaxNode | undefined;
  readonly field: string;
}

const parsedByText = new Map<string, Parsed>();
const codeFile = /\.(ts|tsx|mts|mjs|js)$/;

export const isCode = (file: TidyFile): boolean => codeFile.test(file.path);
export const isTest = (file: TidyFile): boolean => /\.(test|test-d|bench)\.tsx?$/.test(file.path);
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

/** Every node of a file with its parent, and its comments; parsed once however many rules look at it. */
export function parseFile(file: TidyFile): Parsed {
  const key = `${path.extname(file.path)}\n${file.text}`;
  const known = parsedByText.get(key);
  if (known !== undefined) return known;
  const { program, comments, errors } = parseSync(file.path, file.text);
  if (errors[0] !== undefined) throw new Error(`${file.path} can't be parsed: ${errors[0].message}`);
  const nodes: Visited[] = [];
  collectNodes(program, undefined, { field: "", into: nodes });
  const parsed = { nodes, comments };
  parsedByText.set(key, parsed);
  return parsed;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function collectNodes(value: unknown, parent: SyntaxNode | undefined, to: { field: string; into: Visited[] }): void {
  if (Array.isArray(value)) {
    for (const item of value) collectNodes(item, parent, to);
  } else if (isNode(value)) {
    to.into.push({ node: value, parent, field: to.field });
    for (const [field, child] of Object.entries(value)) {
      if (typeof child === "object" && child !== null) collectNodes(child, value, { field, into: to.into });
    }
  }
}

/** The text of a string literal or of a template, its holes filled with `?`; nothing for other nodes. */
export function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : undefined;
  if (node.type !== "TemplateLiteral" || !Array.isArray(node["quasis"])) return undefined;
  return node["quasis"].map((quasi: { value: { cooked?: string; raw: string } }) => quasi.value.cooked ?? "").join("?");
}
