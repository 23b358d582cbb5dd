import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { expect, onTestFinished, test } from "vitest";

import { errorOf, makeLedgerFile, openStage, until, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toFilmFlow, toJobModel } from "../../../../../test/video/film-flow.ts";
import { openJobServer, type Asked, type JobServer } from "../../../../../test/video/job-server.ts";
import { TuttiError } from "../../base/errors.ts";
import type { VideoModel } from "../../contracts/media-model.ts";
import { openTutti } from "../../engine/open-tutti.ts";

const request = { prompt: "a red cube turns" };
const killed = fileURLToPath(new URL("../../../../../test/video/killed.ts", import.meta.url));

async function openServer(onAsked?: Asked): Promise<JobServer> {
  const server = await openJobServer(onAsked);
  onTestFinished(() => server.close());
  return server;
}

/** Runs the flow in a process of its own, and kills that when the server is asked this. Returns the ledger that is left. */
async function runUntilKilled(
  at: RegExp,
  canFind: boolean,
): Promise<{ readonly ledger: string; readonly server: JobServer }> {
  const ledger = await makeLedgerFile();
  const reached = Promise.withResolvers<void>();
  let isDead = false;
  const server = await openServer((line, answer) => {
    if (isDead || !at.test(line)) return answer();
    isDead = true; // and this question is never answered
    reached.resolve();
  });
  const args = [
    "--conditions=tutti-source",
    "--disable-warning=ExperimentalWarning",
    killed,
    ledger,
    server.url,
    String(canFind),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  void reached.promise.then(() => child.kill("SIGKILL"));
  const [, signal] = await once(child, "close");
  expect(signal).toBe("SIGKILL");
  return { ledger, server };
}

test.for([
  ["between the order and its answer", /^POST/],
  ["while the job is asked for", /^GET \/jobs\/job-1$/],
] as const)("killed %s, the run goes on with the one film that was ordered", verifies("D1", "K2"), async ([, at]) => {
  const { ledger, server } = await runUntilKilled(at, true);
  server.finish();
  const film = toFilmFlow(toJobModel(server.url), { pauseMs: 1 });
  const tutti = await openTutti({ flows: [film], ledger });
  onTestFinished(() => tutti.close());
  expect(await tutti.run(film, request, { id: "film-1" })).toMatchObject({
    hash: expect.stringMatching(/^[\da-f]{64}$/),
  });
  expect(server.jobs).toHaveLength(1);
});

test(
  "killed between the order and its answer at a provider that can't be asked, no second film is ordered: a person decides",
  verifies("K2"),
  async () => {
    const { ledger, server } = await runUntilKilled(/^POST/, false);
    const film = toFilmFlow(toJobModel(server.url, false), { pauseMs: 1 });
    const tutti = await openTutti({ flows: [film], ledger });
    onTestFinished(() => tutti.close());
    await expect.poll(async () => (await tutti.inDoubt()).length, { timeout: 30_000 }).toBe(1);
    expect(server.jobs).toHaveLength(1);
  },
);

function timersOf(stage: Stage): number {
  return stage.entries.filter((entry) => entry.kind === "timer-set").length;
}

interface Told {
  readonly status: () => ReturnType<VideoModel["status"]>;
}

function toldModel({ status }: Told): VideoModel {
  return {
    provider: "told",
    id: "film-1",
    start: async () => ({ reference: "job-1" }),
    status,
    fetch: async () => ({ mediaType: "video/mp4", content: Buffer.from("a film") }),
  };
}

test("it is asked in growing pauses", async () => {
  const stage = openStage();
  const begunMs = stage.clock.now();
  const askedAfterMs: number[] = [];
  const status = async (): ReturnType<VideoModel["status"]> => {
    askedAfterMs.push(stage.clock.now() - begunMs);
    return { kind: askedAfterMs.length < 6 ? "running" : "done" };
  };
  const film = toFilmFlow(toldModel({ status }), { pauseMs: 1_000, pauseMaxMs: 3_000 });
  const tutti = await stage.open([film]);
  onTestFinished(() => tutti.close());
  const made = tutti.run(film, request);
  for (let quarter = 0; quarter < 48; quarter++) await stage.clock.advance(250);
  expect(await made).toMatchObject({ hash: expect.any(String) });
  const pauses = askedAfterMs.map((at, index) => at - (askedAfterMs[index - 1] ?? 0));
  expect(pauses).toEqual([1_000, 1_000, 1_500, 2_250, 3_000, 3_000]);
});

test("a film that will not be made is an error with the provider's words", async () => {
  const stage = openStage();
  const film = toFilmFlow(toldModel({ status: async () => ({ kind: "failed", why: "no people, please" }) }), {
    pauseMs: 1,
  });
  const tutti = await stage.open([film]);
  onTestFinished(() => tutti.close());
  const failing = errorOf(tutti.run(film, request));
  await until(() => timersOf(stage) === 1);
  await stage.clock.advance(1);
  expect(await failing).toMatchObject({
    code: "TOOL_FAILED",
    message: "the film will not be made: no people, please",
    facts: { job: "job-1" },
  });
});

test("at the deadline the run ends with the job's name, so that the film is not lost", async () => {
  const stage = openStage();
  const film = toFilmFlow(toldModel({ status: async () => ({ kind: "running" }) }), {
    pauseMs: 600,
    deadlineMs: 1_000,
  });
  const tutti = await stage.open([film]);
  onTestFinished(() => tutti.close());
  const failing = errorOf(tutti.run(film, request));
  for (const timers of [1, 2]) {
    await until(() => timersOf(stage) === timers);
    await stage.clock.advance(600);
  }
  expect(await failing).toMatchObject({
    code: "TOOL_INTERRUPTED",
    effect: "unknown",
    facts: { job: "job-1", deadlineMs: 1_000 },
  });
});

test("a provider that is out of reach for a while does not lose a film that is paid for", async () => {
  const stage = openStage();
  let asked = 0;
  const status = async (): ReturnType<VideoModel["status"]> => {
    asked++;
    if (asked <= 5) throw new TuttiError("TOOL_UNAVAILABLE", "down");
    return { kind: "done" };
  };
  const film = toFilmFlow(toldModel({ status }), { pauseMs: 1_000 });
  const tutti = await stage.open([film]);
  onTestFinished(() => tutti.close());
  const made = tutti.run(film, request);
  for (let seconds = 0; seconds < 60; seconds++) await stage.clock.advance(1_000);
  expect(await made).toMatchObject({ hash: expect.any(String) });
  expect(asked).toBe(6);
});
