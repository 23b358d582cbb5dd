import { relative } from "node:path";

import { checkUpgrade, type CheckedRun } from "../check-upgrade.ts";
import type { Finding } from "./finding.ts";
import type { ReadProject } from "./read-project.ts";
import { lineOf } from "./source-file.ts";
import { isWhole, propertyOf } from "./syntax.ts";

/** What the open runs of a ledger say of the code as it is now; found by replaying them. */
export async function findOpenRunProblems(project: ReadProject, ledger: string): Promise<readonly Finding[]> {
  const checked = await checkUpgrade({ ledger, flows: project.loadedFlows, models: {} });
  const findings = new Map<string, Finding>();
  for (const each of checked) {
    const finding = toFinding(project, ledger, each);
    // One run of a flow stands for all that meet the same.
    if (finding !== undefined) findings.set(`${each.run.flow}@${each.run.version} ${finding.rule}`, finding);
  }
  return [...findings.values()];
}

function toFinding(project: ReadProject, ledger: string, { run, outcome }: CheckedRun): Finding | undefined {
  const flow = project.flows.find((code) => code.flow.name === run.flow)?.flow;
  const place =
    flow === undefined
      ? { path: relative(process.cwd(), ledger), line: undefined }
      : { path: flow.file.path, line: lineOf(flow.file, flow.node) };
  const lost = {
    ...place,
    severity: "error",
    why: "Deployed like this, it is parked or stays where it is, until somebody sees it.",
    fix: `version: "${nextOf(run.version)}", // and the old version registered beside it until its runs are done`,
  } as const;
  switch (outcome.kind) {
    case "stops":
      return {
        ...lost,
        rule: "open-run-diverges",
        what: `run ${run.id} of ${run.flow}@${run.version} can't go on with this code: ${outcome.error.message}`,
      };
    case "no-version":
      return {
        ...lost,
        rule: "open-run-without-version",
        what: `run ${run.id} is open and needs ${run.flow} in version ${run.version}, which is not here`,
      };
    case "goes-on":
      if (flow === undefined || !isWhole(flow.fields) || propertyOf(flow.fields, "version") !== undefined)
        return undefined;
      return {
        ...place,
        rule: "flow-without-version",
        severity: "advice",
        what: `flow ${run.flow} has open runs and names no version`,
        why: "When its steps change, these runs and new ones need different code under different versions.",
        fix: `version: "${run.version}", // raise it when steps change`,
      };
    case "elsewhere":
      return undefined;
  }
}

function nextOf(version: string): string {
  return /^\d+$/u.test(version) ? String(Number(version) + 1) : `${version}-2`;
}
