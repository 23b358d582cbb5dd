import path from "node:path";

import { isCode, isNode, lineAt, literalText, parseFile, type SyntaxNode, type TidyFile } from "./source.ts";

/** One mention of another module: an import or export of any kind, a type's `import()`, or a `new URL("./x", import.meta.url)`. */
export interface Import {
  readonly from: string;
  readonly specifier: string;
  /** The file it leads to, if it is a relative one. */
  readonly to: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

/** Every import of every file. */
export function importsOf(files: readonly TidyFile[]): Import[] {
  const paths = new Set(files.map((file) => file.path));
  return files.filter(isCode).flatMap((file) =>
    parseFile(file).nodes.flatMap(({ node }) => {
      const specifier = specifierOf(node);
      if (specifier === undefined) return [];
      const to = resolveImport(file.path, specifier, paths);
      return [{ from: file.path, specifier, to, typeOnly: isTypeOnly(node), line: lineAt(file.text, node.start) }];
    }),
  );
}

/** The imports by the file they are in. */
export function importsByFile(files: readonly TidyFile[]): Map<string, Import[]> {
  const byFile = new Map<string, Import[]>(files.map((file) => [file.path, []]));
  for (const found of importsOf(files)) byFile.get(found.from)?.push(found);
  return byFile;
}

function specifierOf(node: SyntaxNode): string | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return literalText(node["source"]) ?? literalText(isNode(node["argument"]) ? node["argument"] : undefined);
    case "TSExternalModuleReference":
      return literalText(node["expression"]);
    case "NewExpression":
      return urlSpecifier(node);
    default:
      return undefined;
  }
}

/** `new URL("./worker.ts", import.meta.url)` names a file that is started rather than imported. */
function urlSpecifier(node: SyntaxNode): string | undefined {
  const callee = node["callee"];
  const args = node["arguments"];
  if (!isNode(callee) || callee["name"] !== "URL" || !Array.isArray(args) || args.length !== 2) return undefined;
  const specifier = literalText(args[0]);
  return /^\..+\.(ts|mts|js|mjs)$/.test(specifier ?? "") ? specifier : undefined;
}

function isTypeOnly(node: SyntaxNode): boolean {
  if (node.type === "TSImportType" || node["importKind"] === "type" || node["exportKind"] === "type") return true;
  const specifiers = node["specifiers"];
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false;
  return specifiers.every((item: unknown) => isNode(item) && (item["importKind"] ?? item["exportKind"]) === "type");
}

function resolveImport(from: string, specifier: string, paths: ReadonlySet<string>): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const target = path.posix.join(path.posix.dirname(from), specifier);
  const candidates = [target, target.replace(/\.js$/, ".ts"), `${target}.ts`, `${target}/index.ts`];
  return candidates.find((candidate) => paths.has(candidate)) ?? target;
}
