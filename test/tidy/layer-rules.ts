import { folderByDependency, layers, seesOnly } from "../layers.ts";
import { importsByFile, importsOf, type Import } from "./imports.ts";
import { isCode, isTest, type Finding, type Rule, type TidyFile } from "./source.ts";

const sourceRoot = "packages/tutti/src/";
const isShipped = (file: TidyFile): boolean => file.path.startsWith(sourceRoot) && isCode(file) && !isTest(file);

/** The first folder under the source root; nothing for an entry file. */
function folderOf(filePath: string): string | undefined {
  const parts = filePath.slice(sourceRoot.length).split("/");
  return filePath.startsWith(sourceRoot) && parts.length > 1 ? parts[0] : undefined;
}

const lineOf = (folder: string): number => layers.findIndex((line) => line.includes(folder));

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  return seesOnly[from]?.includes(to) ?? lineOf(to) < lineOf(from);
}

/** A folder imports only from earlier lines of `layers`, types included. */
export const importsGoDown: Rule = (files) => {
  const rule = "imports-go-down";
  const homeless = files.filter(isShipped).flatMap((file) => {
    const folder = folderOf(file.path);
    if (folder === undefined || lineOf(folder) >= 0) return [];
    return [{ rule, path: file.path, line: 1, message: `test/layers.ts has no folder "${folder}"` }];
  });
  const upward = importsOf(files.filter(isShipped)).flatMap((found) => {
    const [from, to] = [folderOf(found.from), found.to === undefined ? undefined : folderOf(found.to)];
    if (from === undefined || to === undefined || mayImport(from, to)) return [];
    return [{ rule, path: found.from, line: found.line, message: `${from} may not import ${to} (${found.specifier})` }];
  });
  return [...homeless, ...upward];
};

/** Entry files list what is public; inside, the file that owns a name is imported, never an entry or the package by its name. */
export const nobodyImportsAnEntry: Rule = (files) =>
  importsOf(files.filter(isShipped)).flatMap((found) => {
    const isEntry = found.to !== undefined && found.to.startsWith(sourceRoot) && folderOf(found.to) === undefined;
    const isItself = found.specifier === "tutti" || found.specifier.startsWith("tutti/");
    if (!isEntry && !isItself) return [];
    const message = `"${found.specifier}" is an entry; import the file that owns the name`;
    return [{ rule: "nobody-imports-an-entry", path: found.from, line: found.line, message }];
  });

/** No file imports itself by a detour, not even for a type. */
export const noCycles: Rule = (files) => {
  const imports = importsByFile(files.filter(isCode));
  const done = new Set<string>();
  const findings: Finding[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) {
      const message = [...trail.slice(start), file].join(" → ");
      findings.push({ rule: "no-cycles", path: file, line: 1, message });
    }
    if (start >= 0 || done.has(file)) return;
    for (const { to } of imports.get(file) ?? []) if (to !== undefined) visit(to, [...trail, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return findings;
};

/** Every source file is reached from an entry, a program, a test or a tool's configuration. */
export const noDeadFiles: Rule = (files) => {
  const imports = importsByFile(files.filter(isCode));
  const alive = new Set<string>();
  const visit = (file: string): void => {
    if (alive.has(file)) return;
    alive.add(file);
    for (const { to } of imports.get(file) ?? []) if (to !== undefined) visit(to);
  };
  for (const file of files) if (!isShipped(file) || folderOf(file.path) === undefined) visit(file.path);
  return files
    .filter((file) => isShipped(file) && !alive.has(file.path))
    .map((file) => ({ rule: "no-dead-files", path: file.path, line: 1, message: "nothing imports this file" }));
};

/** One npm dependency is imported by one folder, which adapts it. */
export const oneFolderPerDependency: Rule = (files) =>
  importsOf(files.filter(isShipped)).flatMap((found) => {
    const dependency = dependencyOf(found);
    if (dependency === undefined) return [];
    const folder = folderByDependency[dependency];
    if (folder !== undefined && found.from.startsWith(`${sourceRoot}${folder}/`)) return [];
    const message =
      folder === undefined
        ? `test/layers.ts gives "${dependency}" no folder`
        : `only ${folder}/ imports "${dependency}"`;
    return [{ rule: "one-folder-per-dependency", path: found.from, line: found.line, message }];
  });

function dependencyOf({ specifier }: Import): string | undefined {
  if (/^(\.|node:|tutti($|\/))/.test(specifier)) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** What a browser loads with `client/` needs no Node, however deep it is imported. */
export const clientRunsInABrowser: Rule = (files) => {
  const imports = importsByFile(files.filter(isShipped));
  const seen = new Set<string>();
  const findings: Finding[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { specifier, line, to, typeOnly } of imports.get(file) ?? []) {
      if (typeOnly) continue;
      if (to !== undefined) visit(to);
      const message = `client/ would load "${specifier}" in a browser`;
      if (specifier.startsWith("node:")) findings.push({ rule: "client-runs-in-a-browser", path: file, line, message });
    }
  };
  for (const file of imports.keys()) if (folderOf(file) === "client") visit(file);
  return findings;
};
