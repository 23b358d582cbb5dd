import { effectOf, isImportedCall } from "./declarations.ts";
import type { Finding } from "./finding.ts";
import type { FlowCode } from "./flow-code.ts";
import { findingAt, toolsOf, type Project, type Rule } from "./project.ts";
import type { SourceFile } from "./source-file.ts";
import {
  calledOf,
  childOf,
  contains,
  isFunction,
  listOf,
  nameOf,
  propertyOf,
  textOf,
  textOfPiece,
  walk,
  type SyntaxNode,
} from "./syntax.ts";

// The beginnings under which providers hand out keys, each with the length of a real one.
const secretPattern =
  /\b(?:sk-(?:ant-|proj-)?[\w-]{24,}|sk_live_\w{20,}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|AKIA[A-Z0-9]{16}|xox[abprs]-[\w-]{20,}|AIza[\w-]{35}|glpat-[\w-]{20,})|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|:\/\/[^\s:/@]+:[^\s:/@$<{]{8,}@/u;
const placeholder = /(?:your|example|placeholder|dummy|xxxx|1234567|password)|\.{3}|…|<|(.)\1{7}/iu;

/** No key stands in code. What was found is never printed. */
export const noSecretsInCode: Rule = (project) =>
  project.files.flatMap((file) => {
    const findings: Finding[] = [];
    walk(file.tree, (node) => {
      const text = node.type === "TemplateElement" ? textOfPiece(node) : node.type === "Literal" ? textOf(node) : "";
      const found = secretPattern.exec(text ?? "")?.[0];
      if (found === undefined || placeholder.test(found)) return;
      findings.push(
        findingAt(
          { file, node },
          {
            rule: "secret-in-code",
            severity: "error",
            what: "a key stands in the code",
            why: "Whoever reads the repository, a log or a stack has it; take it back at its provider.",
            fix: 'const key = secret({ name: "provider", from: { env: "PROVIDER_KEY" }, hosts: ["api.example.com"] }); // see docs/secrets.md',
          },
        ),
      );
    });
    return findings;
  });

/** A caught error is handled, or thrown on. */
export const noErrorsSwallowed: Rule = (project) =>
  project.flows.flatMap((code) =>
    code.nodes.flatMap(({ node }): readonly Finding[] => {
      if (!swallows(code, node)) return [];
      return [
        findingAt(
          { file: code.file, node },
          {
            rule: "error-swallowed",
            severity: "warning",
            what: "an error of a call is swallowed in flow code",
            why: "A cancel, a budget that is spent and a bug all look like success, and nobody can say why.",
            fix: 'catch (error) { if (!isTuttiError(error) || error.code !== "TOOL_FAILED") throw error; }',
          },
        ),
      ];
    }),
  );

function swallows({ file, verbs }: FlowCode, node: SyntaxNode): boolean {
  if (node.type === "TryStatement") {
    const body = childOf(childOf(node, "handler"), "body");
    const block = childOf(node, "block");
    return isBare(file, body) && verbs.some(({ ancestors }) => ancestors.some((above) => above === block));
  }
  const callee = childOf(node, "callee");
  if (nameOf(childOf(callee, "property")) !== "catch") return false;
  const handler = listOf(node, "arguments")[0];
  const isOfCall = verbs.some((verb) => verb.node === childOf(callee, "object"));
  return isOfCall && isFunction(handler) && isBare(file, childOf(handler, "body"));
}

/** A block with nothing in it, not even a comment: that would be a reason. */
function isBare(file: SourceFile, body: SyntaxNode | undefined): boolean {
  return body?.type === "BlockStatement" && file.text.slice(body.start + 1, body.end - 1).trim() === "";
}

/** The ledger outlives the process and the machine's next start. */
export const ledgersAreKept: Rule = (project) =>
  project.files.flatMap((file) => {
    const findings: Finding[] = [];
    walk(file.tree, (node) => {
      if (!isImportedCall(file, node, "openTutti")) return;
      const options = listOf(node, "arguments")[0];
      const ledger = propertyOf(options, "ledger");
      if (isTemporary(ledger)) findings.push(toTemporary(project, { file, node: ledger ?? node }));
      if (textOf(propertyOf(options, "durability")) === "process" && hasEffects(project))
        findings.push(
          findingAt(
            { file, node },
            {
              rule: "effects-without-power",
              severity: "warning",
              what: 'effects are recorded with durability "process"',
              why: "After a power cut an effect that was done may not be in the ledger, and is done again.",
              fix: 'durability: "power", // the default',
            },
          ),
        );
    });
    return findings;
  });

function isTemporary(ledger: SyntaxNode | undefined): boolean {
  const text = textOf(ledger) ?? textOfPiece(listOf(ledger, "quasis")[0]) ?? "";
  if (/^(?:\/tmp|\/var\/tmp|\/dev\/shm)\//u.test(text)) return true;
  return contains(ledger, (node) => /(?:^|\.)tmpdir$/u.test(calledOf(node) ?? ""));
}

function toTemporary(project: Project, place: { readonly file: SourceFile; readonly node: SyntaxNode }): Finding {
  return findingAt(place, {
    rule: "ledger-is-temporary",
    severity: hasEffects(project) ? "error" : "warning",
    what: "the ledger lies in a temporary folder",
    why: "The system may empty it at any time; every open run, and the memory of what was done, is gone with it.",
    fix: 'ledger: ".tutti/ledger.db", // on a disk that is backed up',
  });
}

function hasEffects(project: Project): boolean {
  return toolsOf(project).some((tool) => ["once", "idempotent"].includes(effectOf(tool) ?? ""));
}
