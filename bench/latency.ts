import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import type { Model, Tool } from "../packages/tutti/src/index.ts";

/** How long calls take, log-normal: the median in seconds, and the standard deviation of the logarithm. */
export interface Latency {
  readonly medianSeconds: number;
  readonly sigma: number;
}

/** Calls that were made, and the seconds that they took together, as if one had waited for each. */
export interface Spent {
  modelCalls: number;
  toolCalls: number;
}

/**
 * Makes models and tools as slow as real ones. How long a call takes is drawn from what is asked and the seed: whoever asks the same, in
 * whatever order, waits as long.
 */
export interface Pace {
  readonly spent: Readonly<Spent>;
  model(model: Model): Model;
  tool<Input, Output>(tool: Tool<Input, Output>): Tool<Input, Output>;
}

export interface PaceOptions {
  readonly model: Latency;
  readonly tool: Latency;
  /** How many milliseconds stand for a second. */
  readonly msPerSecond: number;
  readonly seed: number;
}

export function openPace({ model: ofModel, tool: ofTool, msPerSecond, seed }: PaceOptions): Pace {
  const spent: Spent = { modelCalls: 0, toolCalls: 0 };
  const pass = (latency: Latency, asked: unknown, signal: AbortSignal): Promise<void> =>
    wait(drawSeconds(latency, JSON.stringify([seed, asked])) * msPerSecond, undefined, { signal });
  return {
    spent,
    model: (model) => ({
      ...model,
      async generate(request, signal) {
        spent.modelCalls += 1;
        await pass(ofModel, [request.answer.name, request.messages.slice(1)], signal);
        return model.generate(request, signal);
      },
    }),
    tool: (tool) => ({
      ...tool,
      async run(input, host) {
        spent.toolCalls += 1;
        await pass(ofTool, [tool.name, input], host.signal);
        return tool.run(input, host);
      },
    }),
  };
}

/** One draw of a log-normal distribution, by the Box-Muller transform of a hash. */
function drawSeconds({ medianSeconds, sigma }: Latency, about: string): number {
  const digest = createHash("sha256").update(about).digest();
  const first = (digest.readUInt32BE(0) + 1) / 2 ** 32;
  const second = digest.readUInt32BE(4) / 2 ** 32;
  const normal = Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
  return medianSeconds * Math.exp(sigma * normal);
}
