import type { Finding } from "./finding.ts";
import type { FlowCode, PlacedNode } from "./flow-code.ts";
import { findDeclared, findingAt, type Project, type Rule } from "./project.ts";
import type { SourceFile } from "./source-file.ts";
import {
  calledOf,
  childOf,
  contains,
  dottedOf,
  fieldOf,
  isFunction,
  isWhole,
  listOf,
  mentions,
  nameOf,
  propertyOf,
  valueOf,
  type SyntaxNode,
} from "./syntax.ts";

/** What differs on every replay, and what stands for it. */
const volatile: ReadonlyMap<string, string> = new Map([
  ["fetch", 'const page = await run.step("fetch", async ({ signal }) => (await fetch(url, { signal })).text());'],
  ["setTimeout", "await run.sleep(1_000);"],
  ["setInterval", "await run.sleep(1_000); // in a loop with a limit"],
  ["Date.now", "run.now()"],
  ["performance.now", "run.now()"],
  ["Math.random", "run.random()"],
  ["crypto.randomUUID", "run.uuid()"],
  ["randomUUID", "run.uuid()"],
]);

/** Flow code takes time, chance and the world from the run. */
export const flowsAreDurable: Rule = (project) =>
  project.flows.flatMap((code) =>
    code.nodes.flatMap((placed): readonly Finding[] => {
      const name = volatileOf(code, placed.node);
      if (name === undefined) return [];
      const called = name === "new Date" ? "new Date()" : `${name}()`;
      return [
        findingAt(
          { file: code.file, node: placed.node },
          {
            rule: "not-durable",
            severity: "error",
            what: `${called} stands in flow code, outside a step`,
            why: "The flow's code runs again after a crash and gets another answer, so the run is parked or does something else.",
            fix: volatile.get(name) ?? "new Date(run.now())",
          },
        ),
      ];
    }),
  );

function volatileOf({ file }: FlowCode, node: SyntaxNode): string | undefined {
  if (node.type === "NewExpression" && nameOf(childOf(node, "callee")) === "Date")
    return listOf(node, "arguments").length === 0 ? "new Date" : undefined;
  const called = calledOf(node)?.replace(/^globalThis\./u, "");
  if (called === undefined || !volatile.has(called)) return undefined;
  const [root = ""] = called.split(".");
  // A name that the file gives to something of its own is not the world's.
  const imported = file.imports.get(root);
  const isWorlds = imported === undefined ? !isNamedHere(file, root) : /crypto|timers|perf_hooks/u.test(imported.from);
  if (!isWorlds) return undefined;
  return called === "randomUUID" && imported === undefined ? undefined : called;
}

/** Whether a variable, a parameter or a function of the file has this name. */
function isNamedHere({ tree }: SourceFile, name: string): boolean {
  return contains(tree, (node) => {
    const id =
      node.type === "VariableDeclarator" || node.type === "FunctionDeclaration" ? childOf(node, "id") : undefined;
    return mentions(id, name) || (isFunction(node) && listOf(node, "params").some((each) => mentions(each, name)));
  });
}

const callingVerbs: ReadonlySet<string> = new Set(["call", "result", "step", "child", "agree", "review"]);
const waitingVerbs: ReadonlySet<string> = new Set(["wait", "sleep"]);

/** A loop around calls has a limit that can be read. */
export const loopsEnd: Rule = (project) =>
  project.flows.flatMap((code) =>
    code.nodes.flatMap(({ node }): readonly Finding[] => {
      if (!isEndless(node)) return [];
      const within = code.verbs.filter((call) => call.ancestors.includes(node));
      if (!within.some((call) => callingVerbs.has(call.verb))) return [];
      if (within.some((call) => waitingVerbs.has(call.verb))) return [];
      return [
        findingAt(
          { file: code.file, node },
          {
            rule: "endless-loop",
            severity: "error",
            what: "a loop around calls has no limit",
            why: "If the model never gives the answer that ends it, it asks and pays for ever.",
            fix: "for (let round = 1; round <= roundsMax; round++) { … }",
          },
        ),
      ];
    }),
  );

const comparing: ReadonlySet<unknown> = new Set(["<", "<=", ">", ">="]);

/** A loop that nothing counts. */
function isEndless(loop: SyntaxNode): boolean {
  if (!/^(?:While|DoWhile|For)Statement$/u.test(loop.type)) return false;
  if (loop.type === "ForStatement" && childOf(loop, "test") !== undefined) return false;
  return !contains(loop, countsSomething);
}

function countsSomething(node: SyntaxNode): boolean {
  return (
    comparing.has(fieldOf(node, "operator")) ||
    node.type === "UpdateExpression" ||
    /\.(?:shift|pop|splice|next|delete)$/u.test(calledOf(node) ?? "")
  );
}

const manyItems = "{ concurrency: 4, need: { atLeast: 2 } }";

/** A fan-out over a list says how many at once, and what a failure means. */
export const fanOutsAreLimited: Rule = (project) =>
  project.flows.flatMap((code) =>
    code.verbs.flatMap((call): readonly Finding[] => {
      const [items, , options] = call.arguments;
      if (call.verb !== "map" || items?.type === "ArrayExpression") return [];
      const isSilent = options !== undefined && !isWhole(options);
      if (isSilent) return [];
      const place = { file: code.file, node: call.node };
      const missesConcurrency = propertyOf(options, "concurrency") === undefined;
      // Who says what becomes of the siblings has thought of failures.
      const missesNeed = ["need", "siblings"].every((name) => propertyOf(options, name) === undefined);
      if (missesConcurrency)
        return [
          findingAt(place, {
            rule: "fan-out-without-concurrency",
            severity: missesNeed && !callsOnlyTools(project, code, call) ? "warning" : "advice",
            what: `run.map calls all items at once${missesNeed ? ", and does not say how many have to succeed" : ""}`,
            why: "A long list floods the provider, and with the first failure all the rest is cancelled.",
            fix: `await run.map(items, body, ${manyItems});`,
          }),
        ];
      if (!missesNeed) return [];
      return [
        findingAt(place, {
          rule: "fan-out-without-need",
          severity: "advice",
          what: "run.map does not say how many have to succeed",
          why: "Without a need the first failure cancels all others.",
          fix: `await run.map(items, body, ${manyItems}); // or need: "all"`,
        }),
      ];
    }),
  );

/** Tools are cheap beside models, and their limits may be declared elsewhere. */
function callsOnlyTools(project: Project, code: FlowCode, { node }: PlacedNode): boolean {
  const called = code.verbs.filter((call) => callingVerbs.has(call.verb) && call.ancestors.includes(node));
  return called.length > 0 && called.every((call) => findDeclared(project, call.arguments[0])?.kind === "tool");
}

/** Calls side by side over a list go through `run.map`. */
export const noBarePromiseAll: Rule = (project) =>
  project.flows.flatMap((code) =>
    code.nodes.flatMap(({ node }): readonly Finding[] => {
      const list = /^Promise\.(?:all|allSettled|any|race)$/u.test(calledOf(node) ?? "")
        ? listOf(node, "arguments")[0]
        : undefined;
      if (calledOf(list)?.endsWith(".map") !== true || childOf(list, "callee") === undefined) return [];
      const over = childOf(childOf(list, "callee"), "object");
      const hasCalls = code.verbs.some((call) => callingVerbs.has(call.verb) && call.ancestors.includes(node));
      if (!hasCalls || over?.type === "ArrayExpression") return [];
      return [
        findingAt(
          { file: code.file, node },
          {
            rule: "bare-promise-all",
            severity: "warning",
            what: `${calledOf(node) ?? "Promise.all"} over calls has no limit and cancels nothing`,
            why: "All calls go out at once, and after a failure the others go on and are paid for.",
            fix: `await run.map(items, (branch, item) => branch.call(…, item), ${manyItems});`,
          },
        ),
      ];
    }),
  );

/** Who waits for somebody says how long. */
export const waitsEnd: Rule = (project) =>
  project.flows.flatMap((code) =>
    code.verbs.flatMap((call): readonly Finding[] => {
      const options = call.arguments[1];
      if (call.verb !== "wait" || (options !== undefined && !isWhole(options))) return [];
      if (propertyOf(options, "timeoutMs") !== undefined || isInRace(call)) return [];
      return [
        findingAt(
          { file: code.file, node: call.node },
          {
            rule: "wait-without-deadline",
            severity: "advice",
            what: "run.wait has no deadline",
            why: "If nobody answers, the run stays open for ever, and nobody is told.",
            fix: "const answer = await run.wait(approved, { timeoutMs: 86_400_000 }); // undefined when the time is over",
          },
        ),
      ];
    }),
  );

// In a race a sleep beside it may be the deadline.
function isInRace({ ancestors }: PlacedNode): boolean {
  return ancestors.some((node) => calledOf(node)?.endsWith(".race") === true);
}

/** A result that may be empty is looked at before its first item is used. */
export const emptinessIsSeen: Rule = (project) =>
  project.flows.flatMap((code) =>
    code.nodes.flatMap(({ node, ancestors }): readonly Finding[] => {
      const list = node.type === "MemberExpression" ? firstOf(childOf(node, "object")) : undefined;
      if (list === undefined || fieldOf(node, "optional") === true) return [];
      const root = (dottedOf(list) ?? "").split(".")[0] ?? "";
      const body = ancestors.findLast(isFunction);
      if (body === undefined || !isResult(body, root) || isLookedAt(body, list)) return [];
      return [
        findingAt(
          { file: code.file, node },
          {
            rule: "empty-not-handled",
            severity: "warning",
            what: `the first item of ${dottedOf(list) ?? root} is used without looking whether there is one`,
            why: "An empty answer is an honest one; here it ends the run with a TypeError.",
            fix: `if (${dottedOf(list) ?? root}.length === 0) return …; // what an empty answer means`,
          },
        ),
      ];
    }),
  );

function firstOf(node: SyntaxNode | undefined): SyntaxNode | undefined {
  if (node?.type !== "MemberExpression" || fieldOf(node, "computed") !== true) return undefined;
  return valueOf(childOf(node, "property")) === 0 ? childOf(node, "object") : undefined;
}

/** Whether a name holds what a call of the run returned: `const found = await run.call(…)`, also taken apart. */
function isResult(body: SyntaxNode, name: string): boolean {
  return contains(body, (node) => {
    if (node.type !== "VariableDeclarator" || !mentions(childOf(node, "id"), name)) return false;
    const awaited = childOf(childOf(node, "init"), "argument");
    return /\.(?:call|map)$/u.test(calledOf(awaited) ?? "");
  });
}

/** Its length, or its first item alone, is asked for somewhere. */
function isLookedAt(body: SyntaxNode, list: SyntaxNode): boolean {
  const name = dottedOf(list);
  return contains(body, (node) => {
    if (dottedOf(node) === `${name ?? ""}.length`) return true;
    const negated = fieldOf(node, "operator") === "!" ? childOf(node, "argument") : undefined;
    const asked = [childOf(node, "test"), childOf(node, "left"), childOf(node, "init"), negated];
    return asked.some((each) => firstOf(each) !== undefined && dottedOf(firstOf(each)) === name);
  });
}
