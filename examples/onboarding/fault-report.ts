import type { Account } from "../stage/account.ts";
import type { SignUp } from "./agents.ts";
import { liveKilled } from "./kills.ts";
import { faultKinds, type Services } from "./server.ts";
import { live, toTrial, type Tried } from "./trials.ts";

// Few trials are lived a few at a time: where the machine is busy, more of them only make each other late.
const crashedAtOnceMost = 16;
const trialsPerLane = 20;
const killedAtOnce = 2;
const trialsPerKill = 100;
const killedMost = 12;
const wrongsShown = 5;

/** Runs so many trials, some of them with processes that are really killed, and tells how they came out. */
export async function injectFaults(
  account: Account,
  given: {
    readonly services: Services;
    readonly signUps: readonly SignUp[];
    readonly count: number;
    readonly firstSeed: number;
    readonly folder: string;
  },
): Promise<void> {
  const { services, signUps, count, firstSeed, folder } = given;
  const killedCount = Math.min(killedMost, Math.ceil(count / trialsPerKill));
  const startedMs = performance.now();
  const wrongs: string[] = [];
  const tell = (seed: number, tried: Tried): void =>
    void wrongs.push(...tried.wrongs.map((wrong) => `seed ${seed}: ${wrong}`));
  const quick = await all(
    { count: count - killedCount, atOnce: Math.min(crashedAtOnceMost, Math.ceil(count / trialsPerLane)) },
    async (index) => {
      const tried = await live(services, toTrial(firstSeed + index, signUps));
      tell(firstSeed + index, tried);
      return tally(tried);
    },
  );
  const killed = await all({ count: killedCount, atOnce: killedAtOnce }, async (index) => {
    const seed = firstSeed + count - killedCount + index;
    const tried = await liveKilled(services, { trial: toTrial(seed, signUps), folder });
    tell(seed, tried);
    return tally(tried);
  });
  const whole = [...quick, ...killed];
  const sum = (of: (each: Tally) => number): number => whole.reduce((total, each) => total + of(each), 0);
  const met = faultKinds.map(
    (kind) => `${sum(({ faults }) => faults.filter((fault) => fault === kind).length)} ${kind}`,
  );
  account.tell(
    `${count} sign-ups, each with its own faults (seeds ${firstSeed} to ${firstSeed + count - 1}), in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`,
    [
      `faults met      ${sum(({ faults }) => faults.length)}: ${met.join(", ")}`,
      `processes       ${quick.reduce((total, each) => total + each.lives - 1, 0)} crashed inside, ${killed.reduce((total, each) => total + each.lives - 1, 0)} ended by SIGKILL; every one was followed by another`,
      `in doubt        ${sum(({ doubts }) => doubts)} effects were shown, and settled by asking the service`,
      `profiles        ${sum(({ records }) => (records === 3 ? 1 : 0))} complete, ${sum(({ records }) => (records === 0 ? 1 : 0))} undone, ${sum(({ records }) => (records % 3 === 0 ? 0 : 1))} in parts`,
      `mails, tasks    ${sum(({ mails }) => mails)} mails, ${sum(({ tasks }) => tasks)} tasks`,
      ...wrongs.slice(0, wrongsShown).map((wrong) => `✗ ${wrong}`),
    ],
  );
  account.check(
    `exactly one mail and one task for each of ${count} sign-ups`,
    whole.every(({ mails, tasks }) => mails === 1 && tasks === 1),
  );
  account.check(
    "every profile is complete or undone",
    whole.every(({ records }) => records % 3 === 0),
  );
  account.check(
    "every run came to its end, is explained by its ledger, and the chains are intact",
    wrongs.length === 0,
  );
  account.check(
    "faults and crashes were met at all",
    sum(({ faults }) => faults.length) > 0 && sum(({ lives }) => lives) > count,
  );
  account.check(
    "processes that were killed were followed by others",
    killed.every(({ lives }) => lives > 1),
  );
}

interface Tally {
  readonly faults: readonly string[];
  readonly lives: number;
  readonly doubts: number;
  readonly mails: number;
  readonly tasks: number;
  readonly records: number;
}

/** What is kept of a trial: its entries are not. */
function tally({ world, lives, doubts }: Tried): Tally {
  return {
    faults: world.met.map(({ kind }) => kind),
    lives,
    doubts: doubts.length,
    mails: world.mails.length,
    tasks: world.tasks.length,
    records: world.records.size,
  };
}

async function all<Output>(
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
  work: (index: number) => Promise<Output>,
): Promise<Output[]> {
  const outputs: Output[] = [];
  let next = 0;
  const goOn = async (): Promise<void> => {
    while (next < count) outputs.push(await work(next++));
  };
  await Promise.all(Array.from({ length: atOnce }, goOn));
  return outputs;
}
