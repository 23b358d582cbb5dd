import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { bodyOf } from "../contracts/entry.ts";
import { findTail, openJournal, openSharedJournal, toJournalRun } from "../engine/journal.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Caller } from "./callers.ts";

/** What a command was answered. */
export interface Answered {
  readonly status: number;
  readonly answer: unknown;
}

export interface Command {
  readonly caller: Caller;
  readonly operation: string;
  /** Everything that was asked for. */
  readonly content: string;
  /** What the caller sent as `Idempotency-Key`. */
  readonly key: string;
  /** The run that it is about. */
  readonly run: string | undefined;
}

/** Answers each command once: the same key of the same caller has the same answer, also after a restart. */
export interface AnsweredCommands {
  /**
   * Resolves when the answer is durable. What a command throws is not kept, unless `work` made an answer of it.
   * @throws TuttiError INPUT_INVALID when the key was used for something else
   */
  once(command: Command, work: (request: string) => Promise<Answered>): Promise<Answered>;
}

/** How many keys are known; older ones count as new. */
const answersKeptMax = 10_000;
const journalName = "http";

interface KeptAnswer extends Answered {
  readonly digest: string;
}

/** Every command stands in the ledger, in the run `request:http`: who asked for what, and what was answered. */
export async function openAnsweredCommands(ledger: Ledger): Promise<AnsweredCommands> {
  const journal = openSharedJournal(ledger, await openJournal(ledger, "request", journalName));
  const kept = await readKept(ledger);
  const working = new Map<string, { readonly digest: string; readonly answered: Promise<Answered> }>();

  const perform = async (
    command: Command,
    request: string,
    work: Parameters<AnsweredCommands["once"]>[1],
  ): Promise<Answered> => {
    const { status, answer } = await work(request);
    const { operation, run, caller } = command;
    const digest = toDigest(command);
    const about = { request, digest, by: caller.name, command: operation, status };
    const body = JSON.stringify({ ...about, ...(run === undefined ? {} : { run }), answer });
    await journal.append({ kind: "command-answered", key: "", body });
    keep(kept, request, { digest, status, answer });
    return { status, answer };
  };
  return {
    async once(command, work) {
      const request = toRequest(command);
      const digest = toDigest(command);
      const known = kept.get(request) ?? working.get(request);
      if (known !== undefined && known.digest !== digest) {
        throw new TuttiError("INPUT_INVALID", "this idempotency key was used for another command", {
          hint: "Make a new key for each command, and repeat it only with the same content.",
        });
      }
      if (known !== undefined) return "answered" in known ? known.answered : known;
      const answered = perform(command, request, work).finally(() => working.delete(request));
      working.set(request, { digest, answered });
      return answered;
    },
  };
}

/** Keys of different callers are different keys. */
function toRequest({ caller, key }: Command): string {
  return sha256(JSON.stringify([caller.tenant ?? null, caller.name, key]));
}

function toDigest({ operation, content }: Command): string {
  return sha256(JSON.stringify([operation, content]));
}

function keep(kept: Map<string, KeptAnswer>, request: string, answer: KeptAnswer): void {
  kept.set(request, answer);
  for (const oldest of kept.keys()) {
    if (kept.size <= answersKeptMax) break;
    kept.delete(oldest);
  }
}

async function readKept(ledger: Ledger): Promise<Map<string, KeptAnswer>> {
  const run = toJournalRun("request", journalName);
  const tail = await findTail(ledger, run);
  const kept = new Map<string, KeptAnswer>();
  for (const entry of await ledger.read(run, Math.max(1, tail - answersKeptMax + 1))) {
    if (entry.kind !== "command-answered") continue;
    const { request, digest, status, answer } = bodyOf(entry, entry.kind);
    keep(kept, request, { digest, status, answer });
  }
  return kept;
}
