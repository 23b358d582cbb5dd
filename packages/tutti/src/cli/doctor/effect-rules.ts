import { declares, effectOf, resourcesOf, titleOf, workOf, type Declared } from "./declarations.ts";
import type { Finding } from "./finding.ts";
import { findDeclared, findingAt, toolsOf, type Project, type Rule } from "./project.ts";
import {
  calledOf,
  childOf,
  contains,
  listOf,
  mentions,
  nameOf,
  propertyOf,
  textOf,
  type SyntaxNode,
} from "./syntax.ts";

/** An effect that must not be done twice says what makes two actions one, and can be asked for. */
export const onceIsSafe: Rule = (project) =>
  toolsOf(project).flatMap((tool): readonly Finding[] => {
    if (effectOf(tool) !== "once") return [];
    const hasNoKey = declares(tool, "key") === false;
    const hasNoCheck = declares(tool, "check") === false;
    return [
      ...(hasNoKey
        ? [
            findingAt(tool, {
              rule: "once-without-key",
              severity: hasNoCheck ? "error" : "warning",
              what: `${titleOf(tool)} must not be done twice, and has no key`,
              why: "Two runs that decide on the same action both do it: without a key, only calls with the same input in one run are one.",
              fix: `key: (${inputPattern(tool)}) => ${firstField(tool)}, // what makes two actions the same one`,
            }),
          ]
        : []),
      ...(hasNoCheck
        ? [
            findingAt(tool, {
              rule: "once-without-check",
              severity: "warning",
              what: `${titleOf(tool)} can't be asked whether it happened`,
              why: "After a crash in the middle of it the run stays in doubt until a person says what happened.",
              fix: `check: async (${inputPattern(tool)}, { idempotencyKey }) => findDone(idempotencyKey), // its output, or undefined if it certainly did not happen`,
            }),
          ]
        : []),
    ];
  });

const creatingVerb = /(?:^|\.)(?:post|create|send|sendMail|insert|charge|publish)$/u;

/** What claims that twice is once sends the key that makes it so. */
export const idempotentSendsItsKey: Rule = (project) =>
  toolsOf(project).flatMap((tool): readonly Finding[] => {
    const work = workOf(tool);
    if (effectOf(tool) !== "idempotent" || work === undefined || takesHost(work)) return [];
    const isCreating = contains(work, (node) => createsSomething(node));
    if (!isCreating || declares(tool, "key") === true) return [];
    return [
      findingAt(tool, {
        rule: "idempotent-without-key",
        severity: "error",
        what: `${titleOf(tool)} says that twice is once, but sends no idempotency key`,
        why: "After a crash it is called again, and the other side takes that for a second action.",
        fix: 'run: (input, { idempotencyKey, signal }) => fetch(url, { method: "POST", headers: { "idempotency-key": idempotencyKey }, signal, … }),',
      }),
    ];
  });

/** Whether the function looks at the key, or hands on all that it was given with it. */
function takesHost(work: SyntaxNode): boolean {
  if (mentions(work, "idempotencyKey")) return true;
  const host = listOf(work, "params")[1];
  if (host === undefined) return false;
  const name = nameOf(host);
  if (name === undefined) return contains(host, (node) => node.type === "RestElement");
  return contains(work, (node) => node.type !== "MemberExpression" && handsOn(node, name));
}

function handsOn(node: SyntaxNode, name: string): boolean {
  return [...listOf(node, "arguments"), childOf(node, "argument"), childOf(node, "init")].some(
    (each) => nameOf(each) === name,
  );
}

function createsSomething(node: SyntaxNode): boolean {
  const called = calledOf(node);
  if (called === undefined) return false;
  if (called === "fetch") return textOf(propertyOf(listOf(node, "arguments")[1], "method"))?.toUpperCase() === "POST";
  return creatingVerb.test(called) && called.includes(".");
}

/** Branches that run side by side do not write what another one uses. */
export const branchesDoNotCollide: Rule = (project) =>
  project.flows.flatMap((code) =>
    code.verbs.flatMap((call): readonly Finding[] => {
      if (call.verb !== "all") return [];
      const branches = listOf(call.arguments[0], "properties").map((branch) => calledIn(project, branch));
      const shared = branches.flatMap((branch, index) =>
        branch.flatMap((writer) => resourcesOf(writer, "writes").map((name) => ({ name, writer, index }))),
      );
      for (const { name, writer, index } of shared) {
        const other = branches
          .flatMap((branch, at) => (at === index ? [] : branch))
          .find((each) => [...resourcesOf(each, "reads"), ...resourcesOf(each, "writes")].includes(name));
        if (other === undefined) continue;
        return [
          findingAt(
            { file: code.file, node: call.node },
            {
              rule: "branches-collide",
              severity: "warning",
              what: `two branches use ${name} at once: ${titleOf(writer)} writes it, and so does or reads ${titleOf(other)}`,
              why: "Which of them comes first differs from run to run, and so does the result.",
              fix: "await run.call(first, …); await run.call(second, …); // one after the other, or both in run.transact(…)",
            },
          ),
        ];
      }
      return [];
    }),
  );

function calledIn(project: Project, branch: SyntaxNode): readonly Declared[] {
  const called: Declared[] = [];
  contains(branch, (node) => {
    const verb = calledOf(node)?.split(".").at(-1);
    const found =
      verb === "call" || verb === "result" ? findDeclared(project, listOf(node, "arguments")[0]) : undefined;
    if (found !== undefined) called.push(found);
    return false;
  });
  return called;
}

/** The fields of an input, as far as the code shows them. */
function fieldsOf({ fields }: Declared): readonly string[] {
  const shape = listOf(propertyOf(fields, "input"), "arguments")[0];
  return listOf(shape, "properties").flatMap((each) => nameOf(childOf(each, "key")) ?? []);
}

function inputPattern(tool: Declared): string {
  const [first] = fieldsOf(tool);
  return first === undefined ? "input" : `{ ${first} }`;
}

function firstField(tool: Declared): string {
  return fieldsOf(tool)[0] ?? "input.id";
}
