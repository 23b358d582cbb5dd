// What a call of code.run costs: `node scripts/run.mjs packages/tutti/src/tools/code/code-run.bench.ts`.
import { toToolHost } from "../../testing/tool-host.ts";
import { bubblewrapCode } from "./bubblewrap-code.ts";
import type { CodeInput, CodeProvider } from "./code-provider.ts";
import { quickJsCode } from "./quickjs-code.ts";

const callsPerCase = 30;

await sample("javascript in a thread of its own", quickJsCode(), { code: "return 1" });
await sample("a loop of 1e6 in it", quickJsCode(), {
  code: "let n = 0; for (let i = 0; i < 1e6; i++) n += i; return n",
});
await sample("bash in bubblewrap", bubblewrapCode(), { language: "bash", code: "echo 1 >result.json" });
await sample("python in bubblewrap", bubblewrapCode(), {
  language: "python",
  code: "open('result.json', 'w').write('1')",
});

async function sample(name: string, provider: CodeProvider, input: CodeInput): Promise<void> {
  const times: number[] = [];
  for (let call = 0; call < callsPerCase; call++) {
    const before = performance.now();
    const output = await provider.run(input, toToolHost());
    if (output.kind !== "done") throw new Error(`${name}: ${output.kind}`);
    times.push(performance.now() - before);
  }
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
  process.stdout.write(`${name}: median ${at(0.5)} ms, fastest ${at(0)}, slowest ${at(1)}\n`);
}
