import { openTutti, systemClock, type Ledger, type LedgerEntry } from "tutti";
import { verifyLedger, whyOf } from "tutti/insight";
import { openMemoryLedger } from "tutti/testing";

import { openChance } from "../../test/crash/tick-clock.ts";
import { openDyingLedger, type Death, type DyingLedger } from "../../test/engine/dying-ledger.ts";
import { openModel, type SignUp } from "./agents.ts";
import { attend } from "./attend.ts";
import { openClient } from "./client.ts";
import { toOnboarding } from "./onboarding.ts";
import { faultKinds, type Fault, type Services, type World } from "./server.ts";

/** What goes wrong while one sign-up is worked on. */
export interface Trial {
  readonly name: string;
  readonly signUp: SignUp;
  readonly triggers: readonly string[];
  readonly faults: readonly Fault[];
  /** The process dies at these writes to the ledger, one life after the other. */
  readonly deaths: readonly Death[];
}

/** How a trial came out; `wrongs` is empty when every promise was kept. */
export interface Tried {
  readonly world: World;
  readonly entries: readonly LedgerEntry[];
  readonly lives: number;
  /** What was shown as in doubt, and settled by asking. */
  readonly doubts: readonly string[];
  readonly wrongs: readonly string[];
}

const places = ["records", "mails", "tasks", "look"] as const;
const faultsMax = 5;
const nthMax = 4;
const writesMax = 70;

/** A trial that follows from its number alone, so that it can be repeated. */
export function toTrial(seed: number, signUps: readonly SignUp[]): Trial {
  const chance = openChance(seed * 7_919 + 1);
  const below = (count: number): number => Math.floor(chance() * count);
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[below(items.length)];
  const signUp = pick(signUps);
  if (signUp === undefined) throw new Error("there are no sign-ups");
  const faults = Array.from({ length: 1 + below(faultsMax) }, (): Fault => {
    const kind = pick(faultKinds) ?? "busy";
    return { on: kind === "refuse" ? "records" : (pick(places) ?? "mails"), nth: 1 + below(nthMax), kind };
  });
  const deaths = Array.from({ length: below(3) }, () => ({ atWrite: 1 + below(writesMax), isStored: chance() < 0.5 }));
  const triggers = pick([["form"], ["form", "form"], ["form", "queue"], ["form", "queue", "form", "webhook"]]) ?? [];
  return { name: `trial-${seed}`, signUp, triggers, faults, deaths };
}

/** Lives a trial to its end: a life for every death, and one that may end in peace. */
export async function live(services: Services, trial: Trial): Promise<Tried> {
  const world = services.open(trial.name, trial.faults);
  const entries: LedgerEntry[] = [];
  const doubts: string[] = [];
  const ledger = openMemoryLedger({ clock: systemClock, onEntry: (entry) => entries.push(entry) });
  let lives = 0;
  for (const death of [...trial.deaths, undefined]) {
    lives += 1;
    const dying = openDyingLedger(ledger, death ?? { atWrite: Number.POSITIVE_INFINITY, isStored: false });
    const client = openClient(`${services.url}/${trial.name}`, () => !dying.isDead);
    const life = liveOnce(dying, {
      ...trial,
      client,
      onDoubt: (effect, verdict) => doubts.push(`${effect.key}: ${verdict.kind}`),
    });
    if ((await Promise.race([life, untilDead(dying)])) === "over") break;
    await ledger.flush(); // what its last write left on its way to the disk is there when the next life looks
  }
  const wrongs = await findWrongs({ world, ledger, entries });
  await ledger.close();
  return { world, entries, lives, doubts, wrongs };
}

async function liveOnce(ledger: DyingLedger, given: Parameters<typeof attend>[1]): Promise<"over"> {
  const tutti = await openTutti({ flows: [], on: [toOnboarding(given.client)], models: { fast: openModel() }, ledger });
  await attend(tutti, given);
  await tutti.close();
  return "over";
}

const lookEveryMs = 2;

function untilDead(ledger: DyingLedger): Promise<"dead"> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (ledger.isDead) resolve("dead");
      else systemClock.after(lookEveryMs, look);
    };
    look();
  });
}

/** Every promise that a trial did not keep, in words. */
export async function findWrongs(left: {
  readonly world: World;
  readonly ledger: Ledger;
  readonly entries: readonly LedgerEntry[];
}): Promise<readonly string[]> {
  const { world, ledger, entries } = left;
  const wrongs: string[] = [];
  if (world.mails.length !== 1) wrongs.push(`${world.mails.length} mails were sent`);
  if (world.tasks.length !== 1) wrongs.push(`${world.tasks.length} tasks were opened`);
  const profiles: string[] = [];
  for (const { id } of await ledger.listRuns({ flow: "onboard" })) {
    const story = entries.filter((entry) => entry.run === id);
    const last = story.at(-1);
    if (last?.kind !== "run-done") {
      wrongs.push(`${id} ended with ${last?.kind ?? "nothing"}`);
      continue;
    }
    profiles.push(/"profile":"(\w+)"/u.exec(last.body)?.[1] ?? "");
    const why = whyOf(story);
    if (why.sentence === "" || why.because.length === 0) wrongs.push(`nothing explains ${id}`);
  }
  const wanted = profiles.includes("complete") ? 3 : 0;
  if (world.records.size !== wanted) wrongs.push(`the profile has ${world.records.size} records instead of ${wanted}`);
  const verified = await verifyLedger(ledger);
  if (verified.kind === "broken") wrongs.push(`the chain is broken: ${verified.why}`);
  return wrongs;
}
