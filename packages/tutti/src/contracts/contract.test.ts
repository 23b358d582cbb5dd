import { expect, test } from "vitest";
import { z } from "zod";

import { toScholar } from "../../../../test/agents/agent-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { flow } from "../flow/flow.ts";
import { tool } from "../tools/tool.ts";
import { toContract } from "./contract.ts";

const publish = tool({
  name: "page.publish",
  does: "Publishes a page.",
  input: z.object({ slug: z.string() }),
  output: z.object({ url: z.string() }),
  effect: "once",
  key: ({ slug }) => slug,
  check: () => undefined,
  undo: () => {},
  retry: { attemptsMax: 2 },
  timeoutMs: 5_000,
  needs: [{ name: "the page is a draft", check: () => true }],
  ensures: [{ name: "the address is public", check: () => true }],
  guarantees: { latencyMs: 900, costUsd: 0.01, idempotencyMs: 86_400_000 },
  failureModes: { TOOL_RATE_LIMITED: "More than ten pages a minute." },
  dataIn: ["personal"],
  dataOut: ["public"],
  reads: ["draft"],
  writes: ["site"],
  tags: ["web"],
  run: ({ slug }) => ({ url: `/${slug}` }),
});

test("a tool's contract is plain data that says everything but code", verifies("P2"), () => {
  const contract = toContract(publish);
  expect(JSON.parse(JSON.stringify(contract))).toEqual(contract);
  expect(contract).toEqual({
    kind: "tool",
    name: "page.publish",
    does: "Publishes a page.",
    input: expect.objectContaining({ type: "object", required: ["slug"] }),
    output: expect.objectContaining({ type: "object", required: ["url"] }),
    effect: "once",
    canBeAsked: true,
    canBeUndone: true,
    attemptsMax: 2,
    timeoutMs: 5_000,
    needs: ["the page is a draft"],
    ensures: ["the address is public"],
    guarantees: { latencyMs: 900, costUsd: 0.01, idempotencyMs: 86_400_000 },
    failureModes: { TOOL_RATE_LIMITED: "More than ten pages a minute." },
    dataIn: ["personal"],
    dataOut: ["public"],
    reads: ["draft"],
    writes: ["site"],
    tags: ["web"],
  });
});

test("agents and flows have contracts too; what they do not declare is left out", verifies("P2"), () => {
  const scholar = toScholar({ dataOut: ["public"], ensures: [{ name: "it is short", check: () => true }] });
  const agentContract = toContract(scholar);
  expect(agentContract).toEqual({
    kind: "agent",
    name: "scholar",
    version: scholar.version,
    does: "Answers.",
    input: expect.objectContaining({ required: ["question"] }),
    output: expect.objectContaining({ required: ["answer"] }),
    needs: [],
    ensures: ["it is short"],
    dataOut: ["public"],
  });
  const plain = flow({ name: "plain", input: z.string(), output: z.string(), run: async (_run, input) => input });
  expect(toContract(plain)).toMatchObject({
    kind: "flow",
    name: "plain",
    version: "1",
    does: "",
    needs: [],
    ensures: [],
  });
  const told = flow({ ...plain, does: "Says it again.", writes: ["nothing"] });
  expect(toContract(told)).toMatchObject({ does: "Says it again.", writes: ["nothing"] });
});

test("a type that JSON Schema has no word for leaves the schema out, not the contract", () => {
  const odd = tool({ ...publish, output: z.object({ url: z.string() }).transform(({ url }) => ({ url, at: 1n })) });
  const contract = toContract(odd);
  expect(contract).not.toHaveProperty("output");
  expect(contract).toHaveProperty("input");
});
