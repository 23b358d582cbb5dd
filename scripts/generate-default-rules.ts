// Writes packages/tutti/src/policy/default-rules.ts from the text of the default policy, so that it needs no Cedar at run time.
// node scripts/run.mjs scripts/generate-default-rules.ts && npm run format
import { writeFileSync } from "node:fs";
import path from "node:path";

import { loadCedar } from "../packages/tutti/src/policy/cedar/load-cedar.ts";
import { readRules } from "../packages/tutti/src/policy/cedar/read-rules.ts";
import { defaultPolicyText } from "../packages/tutti/src/policy/default-policy.ts";

const { rules, findings } = readRules(await loadCedar(), defaultPolicyText);
if (findings.length > 0) throw new Error(JSON.stringify(findings));
const sources = rules.map(({ rule, json }) => ({ rule, json }));
const file = path.join(import.meta.dirname, "../packages/tutti/src/policy/default-rules.ts");
writeFileSync(
  file,
  `import type { RuleSource } from "./cedar/compiled-rules.ts";

/** Made from the text in default-policy.ts by scripts/generate-default-rules.ts. */
export const defaultRules: readonly RuleSource[] = ${JSON.stringify(sources)};
`,
);
