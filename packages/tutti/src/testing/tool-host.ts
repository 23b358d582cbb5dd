import type { ToolHost } from "../contracts/callable.ts";
import { toEffectKey, toRunId, toStepKey } from "../contracts/ids.ts";

/** What a tool is given beside its input, for tests that call it without an engine. */
export function toToolHost(changes: Partial<ToolHost> = {}): ToolHost {
  return {
    idempotencyKey: toEffectKey("key-1"),
    signal: new AbortController().signal,
    runId: toRunId("run-1"),
    step: toStepKey("/step"),
    attempt: 1,
    report: () => {},
    capability: () => Promise.resolve("a capability that nobody signed"),
    ...changes,
  };
}
