import type { Topic } from "../contracts/topic.ts";
import type { Driver } from "./driver.ts";
import { labelsAt } from "./labels.ts";
import type { Scope } from "./scope.ts";
import { runStep } from "./step.ts";
import { waitForSignal } from "./waits.ts";

const never = new Promise<never>(() => {});

/** The signal that brings a run the events it waits for. No signal of a user's can have this name. */
export function toEventSignal(topic: string, key: string | undefined): string {
  return key === undefined ? `@${topic}` : `@${topic} ${key}`;
}

/** Publishes once, however often the step is repeated: the event's id is the step's path. */
export function publish(
  driver: Driver,
  scope: Scope,
  { topic, payload }: { readonly topic: Topic; readonly payload: unknown },
): Promise<void> {
  const key = driver.enter(scope, `publish-${topic.name}`, "run.publish()");
  if (key === undefined) return never;
  const labels = labelsAt(scope);
  return runStep<void>(driver, {
    key,
    scope,
    effect: "local",
    retry: undefined,
    timeoutMs: undefined,
    // Nothing may leave this run before what led to it is on disk.
    work: async () => {
      await driver.log.durable();
      const from = { run: driver.run, step: key };
      await driver.host.publish(topic, { payload, id: `${driver.run}${key}`, from, labels });
    },
  });
}

interface Wanted {
  readonly topic: Topic;
  readonly key?: string;
  readonly timeoutMs?: number;
}

/** Says durably that one event more is wanted, and waits for it as for a signal. */
export async function waitForEvent(driver: Driver, scope: Scope, wanted: Wanted): Promise<unknown> {
  const { topic, key } = wanted;
  const step = driver.enter(scope, `await-${topic.name}`, "run.wait()");
  if (step === undefined) return never;
  await runStep<void>(driver, {
    key: step,
    scope,
    effect: "local",
    retry: undefined,
    timeoutMs: undefined,
    work: async () => {
      await driver.log.durable();
      const since = driver.history.startedAt;
      await driver.host.awaitEvent({ topic: topic.name, key, run: driver.run, step, since });
    },
  });
  return waitForSignal(driver, scope, {
    signal: toEventSignal(topic.name, key),
    stepName: `wait-${topic.name}`,
    ...(wanted.timeoutMs === undefined ? {} : { timeoutMs: wanted.timeoutMs }),
  });
}
