import { existsSync } from "node:fs";
import { join, relative } from "node:path";

import { defaultLedger } from "../ledger-file.ts";
import type { Finding } from "./finding.ts";
import { findOpenRunProblems } from "./ledger-rules.ts";
import { readProject } from "./read-project.ts";
import { findAll, sortFindings } from "./rules.ts";
import { decideVerdict, type Verdict } from "./verdict.ts";

/** What doctor says of a project. */
export interface Examination {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly looked: {
    readonly files: number;
    readonly flows: number;
    readonly agents: number;
    readonly tools: number;
    /** The ledger whose open runs were compared with the code; undefined where there is none. */
    readonly ledger: string | undefined;
  };
  /** What was not looked at, and why. */
  readonly remarks: readonly string[];
}

/**
 * Reads a project and says what it needs. Changes nothing and calls nothing; its ledger, if there is one, is only read.
 * @throws TuttiError SOURCE_UNREADABLE, CONFIG_INVALID, LEDGER_CORRUPT, LEDGER_TOO_NEW
 */
export async function examine(place: string, named: { readonly ledger: string | undefined }): Promise<Examination> {
  const project = await readProject(place);
  const ledger = named.ledger ?? findLedger(project.folder);
  const ofRuns = ledger === undefined ? [] : await findOpenRunProblems(project, ledger);
  const verdict = decideVerdict(project);
  const count = (kind: "flow" | "agent" | "tool"): number =>
    project.declared.filter((each) => each.kind === kind).length;
  return {
    verdict,
    findings: sortFindings([...findAll(project), ...ofRuns]),
    looked: {
      files: project.files.length,
      flows: count("flow"),
      agents: count("agent"),
      tools: count("tool"),
      ledger: ledger === undefined ? undefined : relative(process.cwd(), ledger),
    },
    remarks: project.remarks,
  };
}

/** The ledger that lies in the folder, or in the one that it was called from if the folder is a part of that. */
function findLedger(folder: string): string | undefined {
  const isBelow = !relative(process.cwd(), folder).startsWith("..");
  const folders = isBelow ? [folder, process.cwd()] : [folder];
  return folders.map((each) => join(each, defaultLedger)).find((path) => existsSync(path));
}
