// Driven by the official conformance suite: reaches the server that it names, and calls what the scenario asks for.
import { toEffectKey, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import { openMcpServer } from "../../packages/tutti/src/protocols/mcp/mcp-server.ts";
import { toToolHost } from "../../packages/tutti/src/testing/tool-host.ts";

interface Call {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const url = process.argv.at(-1) ?? "";
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the suite's own documented shape
const context = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as { readonly toolCalls?: readonly Call[] };

await using server = await openMcpServer({
  name: "suite",
  url,
  ask: () => Promise.resolve({ kind: "accept", content: { confirmed: true } }),
});
const offered: readonly string[] = server.tools.map((tool) => tool.name.slice("suite.".length));
const calls: readonly Call[] =
  context.toolCalls?.filter(({ name }) => offered.includes(name)) ??
  offered.map((name) => ({ name, arguments: name === "add_numbers" ? { a: 5, b: 3 } : {} }));
for (const [index, { name, arguments: input }] of calls.entries()) {
  const host = toToolHost({
    idempotencyKey: toEffectKey(`${name}:${index}`),
    step: toStepKey(`/${name}#${index}`),
    signal: AbortSignal.timeout(20_000),
  });
  const outcome = await Promise.resolve(server.tool(name).run(input, host)).then(JSON.stringify, String);
  process.stderr.write(`${name}: ${outcome}\n`);
}
