import { replayedFolders } from "../layers.ts";
import { importsOf } from "./imports.ts";
import {
  isCode,
  isNode,
  isTest,
  lineAt,
  literalText,
  parseFile,
  type Finding,
  type Rule,
  type Visited,
} from "./source.ts";

const replayed = new RegExp(`^packages/tutti/src/(${replayedFolders.join("|")})/`);
const inFlow = /^packages\/tutti\/src\/flow\//;

/** Names that answer differently when a run is replayed. `setImmediate` is how `flow/` hands over recorded results, and only there. */
const worldNames: ReadonlySet<string> = new Set([
  "Date",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "fetch",
  "process",
  "performance",
  "crypto",
  "globalThis",
]);

const worldModules =
  /^node:(timers|crypto|process|perf_hooks|os|fs|net|http|https|dns|child_process|worker_threads)(\/|$)/;

/** Replayed code mentions no clock, chance, timer, network or process; they come in as arguments. */
export const replayIsPure: Rule = (files) => {
  const rule = "replay-is-pure";
  const inside = files.filter((file) => replayed.test(file.path) && isCode(file) && !isTest(file));
  const names = inside.flatMap((file) =>
    parseFile(file).nodes.flatMap((visited): Finding[] => {
      const name = worldName(visited);
      if (name === undefined || (name === "setImmediate" && inFlow.test(file.path))) return [];
      const message = `replayed code may not mention ${name}`;
      return [{ rule, path: file.path, line: lineAt(file.text, visited.node.start), message }];
    }),
  );
  const modules = importsOf(inside)
    .filter((found) => worldModules.test(found.specifier) && !found.typeOnly)
    .map((found) => ({
      rule,
      path: found.from,
      line: found.line,
      message: `replayed code may not import ${found.specifier}`,
    }));
  return [...names, ...modules];
};

/** The forbidden name a node stands for, if it stands for one and is not merely the name of a property. */
function worldName({ node, parent, field }: Visited): string | undefined {
  const name = node["name"];
  if (node.type !== "Identifier" || typeof name !== "string" || isPropertyName(parent, field)) return undefined;
  if (isOnlyAskedFor(parent, field)) return undefined;
  if (worldNames.has(name)) return name;
  if (name !== "Math") return undefined;
  const property = parent?.type === "MemberExpression" && field === "object" ? parent["property"] : undefined;
  if (!isNode(property)) return "Math other than by a named function";
  return (property["name"] ?? literalText(property)) === "random" ? "Math.random" : undefined;
}

/** A type, and the question whether a value is a `Date`, answer the same on every replay. */
function isOnlyAskedFor(parent: Visited["parent"], field: string): boolean {
  if (parent?.type === "TSTypeReference") return true;
  return parent?.type === "BinaryExpression" && parent["operator"] === "instanceof" && field === "right";
}

function isPropertyName(parent: Visited["parent"], field: string): boolean {
  if (parent === undefined || parent["computed"] === true) return false;
  if (parent.type === "MemberExpression") return field === "property";
  if (parent.type === "TSQualifiedName") return field === "right";
  if (field !== "key") return false;
  return parent["shorthand"] !== true;
}
