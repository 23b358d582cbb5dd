import { ledgersAreKept, noErrorsSwallowed, noSecretsInCode } from "./code-rules.ts";
import { branchesDoNotCollide, idempotentSendsItsKey, onceIsSafe } from "./effect-rules.ts";
import { severities, type Finding } from "./finding.ts";
import {
  emptinessIsSeen,
  fanOutsAreLimited,
  flowsAreDurable,
  loopsEnd,
  noBarePromiseAll,
  waitsEnd,
} from "./flow-rules.ts";
import {
  agentsAreCalled,
  agentsAreGoverned,
  agentsAreLimited,
  modelsAreTiers,
  retriesEnd,
  spendingIsLimited,
  toolsHaveDeadlines,
} from "./limit-rules.ts";
import type { Project, Rule } from "./project.ts";

const rules: readonly Rule[] = [
  onceIsSafe,
  idempotentSendsItsKey,
  branchesDoNotCollide,
  flowsAreDurable,
  loopsEnd,
  fanOutsAreLimited,
  noBarePromiseAll,
  waitsEnd,
  emptinessIsSeen,
  toolsHaveDeadlines,
  retriesEnd,
  spendingIsLimited,
  agentsAreLimited,
  agentsAreGoverned,
  modelsAreTiers,
  agentsAreCalled,
  noSecretsInCode,
  noErrorsSwallowed,
  ledgersAreKept,
];

/** Everything that the rules say, the worst first; then by place. */
export function findAll(project: Project): readonly Finding[] {
  const found = rules.flatMap((rule) => rule(project));
  const byPlace = new Map(
    found.map((finding) => [JSON.stringify([finding.rule, finding.path, finding.line, finding.what]), finding]),
  );
  return sortFindings([...byPlace.values()]);
}

export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (left, right) =>
      rank(left) - rank(right) ||
      left.rule.localeCompare(right.rule, "en") ||
      left.path.localeCompare(right.path, "en") ||
      (left.line ?? 0) - (right.line ?? 0),
  );
}

function rank({ severity }: Finding): number {
  return severities.indexOf(severity);
}
