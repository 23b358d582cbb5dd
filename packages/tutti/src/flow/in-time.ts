import type { StepOptions } from "../contracts/run.ts";
import type { Driver } from "./driver.ts";

/** What a callable needs and ensures has to answer in this time; a tool's own limit comes first. */
export const conditionTimeoutMs = 60_000;

/** For conditions that are asked in a step of their own. */
export const conditionLimits: StepOptions = { timeoutMs: conditionTimeoutMs, retry: { attemptsMax: 1 } };

/** Work that is asked for an answer, with what is said when it gives none in time. It is told to stop, and what it says later is not heard. */
export async function inTime<Answer>(
  driver: Driver,
  limitMs: number,
  asked: { readonly work: (signal: AbortSignal) => Promise<Answer>; readonly onLate: () => Answer },
): Promise<Answer> {
  const { promise: late, resolve } = Promise.withResolvers<Answer>();
  const controller = new AbortController();
  const forget = driver.host.clock.after(limitMs, () => {
    controller.abort();
    resolve(asked.onLate());
  });
  try {
    return await Promise.race([asked.work(controller.signal), late]);
  } finally {
    forget();
  }
}
