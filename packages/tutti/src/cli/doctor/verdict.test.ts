import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { toProject } from "./read-project.ts";
import { parseSource } from "./source-file.ts";
import { decideVerdict, type Verdict } from "./verdict.ts";

function decide(...texts: readonly string[]): Verdict {
  const head = `import { agent, flow, tool } from "tutti";\n`;
  const files = texts.map((text, at) => parseSource(`file-${at}.ts`, `${head}${text}`));
  return decideVerdict(toProject(files, { isWhole: true, hasBudgets: false, hasPolicy: false, callables: [] }));
}

const writer = `export const writer = agent({ name: "writer", model: "fast", instructions: "Write." });`;
const inFlow = (body: string): string =>
  `export const job = flow({ name: "job", run: async (run, input) => { ${body} } });`;

test("one agent that is asked once needs no orchestration, and the reasons are said", verifies("X5"), () => {
  expect(decide(writer, inFlow("return run.call(writer, input);"))).toEqual({
    kind: "not-needed",
    reasons: ["one agent", "nothing in parallel", "no waiting", "no effect that could be done twice", "no people"],
  });
  expect(
    decide(`${writer}${inFlow("const a = await run.call(writer, input); run.note('done'); return a;")}`).kind,
  ).toBe("not-needed");
});

test.for([
  ["1 part that runs in parallel", inFlow("return run.all({ a: (run) => run.call(writer, input) });")],
  ["2 waits", inFlow("await run.sleep(10); await run.wait(go); return run.call(writer, input);")],
  ["1 child run", inFlow("await run.child(other, input);")],
  [
    "1 effect that must not be done twice",
    `const send = tool({ name: "send", effect: "once", run: () => ({}) });${inFlow("return run.call(send, input);")}`,
  ],
  ["2 agents", `const reader = agent({ name: "reader", model: "fast" });${inFlow("return run.call(reader, input);")}`],
  ["work that the clock starts", `import { schedule } from "tutti"; ${inFlow("return run.call(writer, input);")}`],
  ["a team", `import { peers } from "tutti/teams"; ${inFlow("return run.call(writer, input);")}`],
  ["run.futureVerb", inFlow("return run.futureVerb(input);")],
])("what a plain call can't do is a reason: %s", verifies("X5"), ([reason = "", text = ""]) => {
  expect(decide(writer, text)).toEqual({ kind: "needed", reasons: [reason] });
});

test.for([
  ["no flow", "export const nothing = 1;"],
  ["a callable from elsewhere", inFlow("return run.call(stranger, input);")],
  ["a run that is handed to code from elsewhere", inFlow("return doAll(run, input);")],
])("where it can't be known, nothing is claimed: %s", verifies("X5"), ([, text = ""]) => {
  expect(decide(writer, text).kind).toBe("unknown");
});
