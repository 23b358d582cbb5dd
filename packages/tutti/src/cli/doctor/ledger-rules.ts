import { relative } from "node:path";

import { checkUpgrade } from "../check-upgrade.ts";
import type { Finding } from "./finding.ts";
import type { ReadProject } from "./read-project.ts";
import { lineOf } from "./source-file.ts";

/** Open runs that the code as it is now could not go on with; found by replaying them. */
export async function findOpenRunProblems(project: ReadProject, ledger: string): Promise<readonly Finding[]> {
  const checked = await checkUpgrade({ ledger, flows: project.loadedFlows, models: {} });
  const findings = new Map<string, Finding>();
  for (const { run, outcome } of checked) {
    if (outcome.kind !== "stops" && outcome.kind !== "no-version") continue;
    const flow = project.flows.find((code) => code.flow.name === run.flow);
    const path = flow?.file.path ?? relative(project.folder, ledger);
    const line = flow === undefined ? undefined : lineOf(flow.file, flow.flow.node);
    findings.set(`${run.flow}@${run.version} ${outcome.kind}`, {
      rule: outcome.kind === "stops" ? "open-run-diverges" : "open-run-without-version",
      severity: "error",
      path,
      line,
      what:
        outcome.kind === "stops"
          ? `run ${run.id} of ${run.flow}@${run.version} can't go on with this code: ${outcome.error.message}`
          : `run ${run.id} is open and needs ${run.flow} in version ${run.version}, which is not here`,
      why: "Deployed like this, it is parked or stays where it is, until somebody sees it.",
      fix: `version: "${nextOf(run.version)}", // and register the old version beside it until its runs are done`,
    });
  }
  return [...findings.values()];
}

function nextOf(version: string): string {
  return /^\d+$/u.test(version) ? String(Number(version) + 1) : `${version}-2`;
}
