import { isTuttiError, TuttiError } from "../../base/errors.ts";
import type { VideoJob, VideoRequest, VideoStatus } from "../../contracts/media-model.ts";
import type { Run } from "../../contracts/run.ts";
import type { Media } from "../media.ts";
import type { VideoTools } from "./video-tools.ts";

/** How patiently a film is waited for, in milliseconds. */
export interface VideoPatience {
  /** Before the first question and the second; each later pause is half as long again. 5 s by default. */
  readonly pauseMs?: number;
  /** The longest pause, 5 min by default. */
  readonly pauseMaxMs?: number;
  /** From the order on; 24 h by default. */
  readonly deadlineMs?: number;
}

const pauseDefaultMs = 5_000;
const pauseMaxDefaultMs = 300_000;
const deadlineDefaultMs = 24 * 3_600_000;
const pauseFactor = 1.5;
const questionsMax = 10_000;

/**
 * Orders a film, waits for it as long as it takes, and fetches it. Durable: whenever the process dies, the run goes on with the film that
 * was ordered. A provider that is out of reach for a while is asked again later. While it waits, the run costs no memory.
 * @throws TuttiError TOOL_FAILED when the provider says that it will not be made, TOOL_INTERRUPTED at the deadline.
 */
export function generateVideo(
  run: Run,
  tools: VideoTools,
  { request, patience = {} }: { readonly request: VideoRequest; readonly patience?: VideoPatience },
): Promise<Media> {
  return run.scope("video.generate", async (inner) => {
    const job = await inner.call(tools.start, request);
    await waitUntilDone(inner, tools, { job, patience });
    return inner.call(tools.fetch, job);
  });
}

async function waitUntilDone(
  run: Run,
  tools: VideoTools,
  { job, patience }: { readonly job: VideoJob; readonly patience: VideoPatience },
): Promise<void> {
  const { pauseMs = pauseDefaultMs, pauseMaxMs = pauseMaxDefaultMs, deadlineMs = deadlineDefaultMs } = patience;
  const untilMs = run.now() + deadlineMs;
  let waitMs = pauseMs;
  for (let question = 0; question < questionsMax; question++) {
    await run.sleep(waitMs);
    const status = await ask(run, tools, job);
    if (status.kind === "done") return;
    if (status.kind === "failed") {
      throw new TuttiError("TOOL_FAILED", `the film will not be made: ${status.why}`, {
        hint: "Say it in other words, or ask another provider.",
        facts: { job: job.reference },
      });
    }
    if (run.now() >= untilMs) break;
    if (question > 0) waitMs = Math.min(waitMs * pauseFactor, pauseMaxMs);
    waitMs = Math.max(1, Math.min(waitMs, untilMs - run.now()));
  }
  throw new TuttiError("TOOL_INTERRUPTED", `the film was not ready within ${deadlineMs} ms`, {
    hint: "It may still be made: ask `video.status` and `video.fetch` with this job, or allow a later deadline.",
    facts: { job: job.reference, deadlineMs },
  });
}

// An outage of the provider is no reason to lose a film that is paid for.
async function ask(run: Run, tools: VideoTools, job: VideoJob): Promise<VideoStatus> {
  try {
    const { status } = await run.call(tools.status, job);
    return status;
  } catch (error) {
    if (isTuttiError(error) && error.disposition === "retry") return { kind: "running" };
    throw error;
  }
}
