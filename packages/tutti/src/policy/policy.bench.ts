// What a decision costs, compiled and in Cedar: node scripts/run.mjs packages/tutti/src/policy/policy.bench.ts
// Time of the processor, the least of several rounds, the same requests and the same rules for both. Cedar checks requests against the schema, as `decide` checks them.
import fc from "fast-check";

import { requests } from "../../../../test/policy/requests.ts";
import { soundRules } from "../../../../test/policy/rules.ts";
import { loadCedar } from "./cedar/load-cedar.ts";
import { readRules } from "./cedar/read-rules.ts";
import { toQuery } from "./cedar/to-query.ts";
import { toCall } from "./cedar/wasm-rules.ts";
import { defaultPolicy, defaultPolicyText } from "./default-policy.ts";
import { policy } from "./policy.ts";

const rounds = 7;
const turns = 30; // as many more as it is quicker, so that both are measured for about as long
const asked = fc.sample(requests, { numRuns: 300, seed: 1 }).map((request) => structuredClone(request)); // as plain as real ones
const cedar = await loadCedar();
const more = Array.from(
  { length: 500 },
  (_, at) =>
    `@id("more-${at}") permit(principal == Tutti::Agent::"a${at}", action == Tutti::Action::"call-tool", resource) when { principal.autonomy > ${at % 5} };`,
).join("\n");

for (const [name, text] of Object.entries({
  "17 rules": soundRules,
  "the default policy": defaultPolicyText,
  "17 rules and 500 more": `${soundRules}${more}`,
})) {
  const startedAt = performance.now();
  const compiled = text === defaultPolicyText ? defaultPolicy : await policy({ name, cedar: text });
  const readMs = performance.now() - startedAt;
  const { rules, inputs, schema } = readRules(cedar, text);
  cedar.preparsePolicySet(name, { staticPolicies: Object.fromEntries(rules.map((each) => [each.rule.id, each.text])) });
  cedar.preparseSchema(name, schema);
  const askCedar = (validateRequest: boolean): void => {
    for (const request of asked)
      cedar.statefulIsAuthorized({
        ...toCall(toQuery(request, inputs)),
        preparsedPolicySetId: name,
        ...(validateRequest ? { preparsedSchemaName: name, validateRequest } : {}),
      });
  };
  const compiledUs =
    quickestUs(() => {
      for (let turn = 0; turn < turns; turn++) for (const request of asked) compiled.decide(request);
    }) / turns;
  const checkedUs = quickestUs(() => askCedar(true));
  const plainUs = quickestUs(() => askCedar(false));
  process.stdout.write(
    `${name}: read in ${readMs.toFixed(0)} ms; compiled ${compiledUs.toFixed(2)} µs a decision; Cedar ${checkedUs.toFixed(0)} µs, ${(checkedUs / compiledUs).toFixed(0)} times as much; without a check of the request ${plainUs.toFixed(0)} µs, ${(plainUs / compiledUs).toFixed(0)} times\n`,
  );
}

function quickestUs(work: () => void): number {
  work();
  const times = Array.from({ length: rounds }, () => {
    const startedAt = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(startedAt);
    return user + system;
  });
  return Math.min(...times) / asked.length;
}
