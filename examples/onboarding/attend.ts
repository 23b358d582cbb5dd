import { setTimeout as sleep } from "node:timers/promises";

import { isTuttiError, type EffectRecord, type Tutti, type Verdict } from "tutti";

import type { SignUp } from "./agents.ts";
import type { Client } from "./client.ts";
import { signUps } from "./onboarding.ts";
import { toPath } from "./tools.ts";

export interface Attendance {
  readonly signUp: SignUp;
  /** The ids of the triggers, as they come; one id twice is one event. */
  readonly triggers: readonly string[];
  readonly client: Client;
  /** Told of every effect whose outcome nobody knew, and what the service said when it was asked. */
  readonly onDoubt?: (effect: EffectRecord, verdict: Verdict) => void;
}

const looksMax = 20_000;
const lookEveryMs = 4;

/** Lets the triggers come, and stays until every run is over. What is in doubt is settled by asking the service. */
export async function attend(tutti: Tutti, { signUp, triggers, client, onDoubt }: Attendance): Promise<void> {
  for (const id of triggers) await tutti.publish(signUps, signUp, { id });
  for (let looks = 0; looks < looksMax; looks++) {
    for (const effect of await tutti.inDoubt()) {
      const verdict = await askService(client, effect);
      onDoubt?.(effect, verdict);
      await tutti.settle(effect.key, verdict).catch(bearSettled);
    }
    const runs = await tutti.runs({ flow: "onboard" });
    const over = runs.filter(({ status }) => status === "done" || status === "failed");
    if (over.length === new Set(triggers).size) return;
    await sleep(lookEveryMs);
  }
  const states = (await tutti.runs()).map(({ id, status }) => `${id} ${status}`);
  throw new Error(`the runs do not come to an end: ${states.join(", ")}`);
}

/** After a restart the engine asks by itself, too; it may have been quicker. */
function bearSettled(error: unknown): void {
  if (!isTuttiError(error) || (error.code !== "EFFECT_UNKNOWN" && error.code !== "RUN_OVER")) throw error;
}

const asksMax = 500;

async function askService(client: Client, { tool, key }: EffectRecord): Promise<Verdict> {
  const path =
    tool === "record.save"
      ? key.replace("record.save:", "records/")
      : toPath(tool === "mail.send" ? "mails" : "tasks", key);
  for (let asks = 1; ; asks++) {
    try {
      const found = await client.find(path);
      return found === undefined
        ? { kind: "not-done", by: "the service" }
        : { kind: "done", output: found, by: "the service" };
    } catch (error) {
      if (asks === asksMax) throw error;
    }
  }
}
