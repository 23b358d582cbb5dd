import type { Model, ModelReply, ModelRequest } from "../contracts/model.ts";
import { noUsage } from "../contracts/outcome.ts";
import { toFingerprint } from "./request-fingerprint.ts";
import { tellWhole } from "./whole-reply.ts";
import { maxWorstCase } from "./worst-case.ts";

export interface CachedOptions {
  /** Whether this request may be answered with an earlier answer; all may by default. */
  readonly allow?: (request: ModelRequest) => boolean;
}

/** Beyond these the oldest is forgotten; it would be paid again, nothing else. */
const runsMax = 100;
const repliesMax = 1_000;

interface Asked {
  readonly reply: Promise<ModelReply>;
  /** Of whoever asked first. */
  readonly signal: AbortSignal;
}
type AskedByFingerprint = Map<string, Asked>;

/**
 * Pays a question once in a run: the same question again, at once or later, gets the same answer, marked `cached` and free of cost. Failures
 * are not kept. What was answered is known to this process only: after a crash the run's recorded answers are used again by the steps that
 * have them, and a question that only now comes up a second time is paid once more.
 *
 * A request that belongs to no run, wants a fresh answer, or is not allowed by `allow` is always asked.
 */
export function cached(model: Model, { allow = () => true }: CachedOptions = {}): Model {
  const askedByRun = new Map<string, AskedByFingerprint>();
  return {
    provider: model.provider,
    id: model.id,
    worstCase: (request) => maxWorstCase([model], request),
    async generate(request, signal, watch) {
      const run = request.hints?.run;
      if (run === undefined || request.hints?.fresh === true || !allow(request))
        return model.generate(request, signal, watch);
      const asked = touchRun(askedByRun, run);
      const fingerprint = toFingerprint(request, `${model.provider}/${model.id}`);
      for (;;) {
        signal.throwIfAborted();
        const earlier = asked.get(fingerprint);
        if (earlier === undefined) {
          const reply = model.generate(request, signal, watch);
          keep(asked, fingerprint, { reply, signal });
          return reply;
        }
        try {
          const { passedOver: _, ...reply } = await waitFor(earlier.reply, signal);
          if (watch !== undefined) tellWhole(reply, watch);
          return { ...reply, usage: { ...noUsage, costUsd: 0 }, cached: true };
        } catch (thrown) {
          // That the first asker was cancelled says nothing about the question; any other failure would be this one's too.
          if (signal.aborted || !earlier.signal.aborted) throw thrown;
        }
      }
    },
  };
}

function touchRun(askedByRun: Map<string, AskedByFingerprint>, run: string): AskedByFingerprint {
  const asked = askedByRun.get(run) ?? new Map<string, Asked>();
  askedByRun.delete(run);
  askedByRun.set(run, asked);
  forgetOldest(askedByRun, runsMax);
  return asked;
}

function keep(asked: AskedByFingerprint, fingerprint: string, entry: Asked): void {
  asked.set(fingerprint, entry);
  forgetOldest(asked, repliesMax);
  const forget = (): void => {
    if (asked.get(fingerprint) === entry) asked.delete(fingerprint);
  };
  entry.reply.catch(forget); // whoever asked gets the error; it is only not kept
}

function forgetOldest(map: Map<string, unknown>, sizeMax: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= sizeMax) return;
    map.delete(oldest);
  }
}

/** The reply, or the reason why this asker no longer wants it. */
async function waitFor(reply: Promise<ModelReply>, signal: AbortSignal): Promise<ModelReply> {
  const gone = Promise.withResolvers<never>();
  const stop = (): void => gone.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([reply, gone.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
