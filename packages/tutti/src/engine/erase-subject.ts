import { TuttiError } from "../base/errors.ts";
import { bodyOf } from "../contracts/entry.ts";
import { openStatuses } from "../contracts/run-record.ts";
import { toBody } from "../flow/stored-value.ts";
import { storedOf, type Ledger } from "../ledger/ledger.ts";
import type { SubjectKeys } from "../ledger/personal/subject-keys.ts";
import type { ActiveRuns } from "./engine-parts.ts";
import { openJournal, openSharedJournal } from "./journal.ts";

const subjectLengthMax = 500;

/** What a run's start says about whom it is about. @throws TuttiError INPUT_INVALID, CONFIG_INVALID */
export function toPersonalField(ledger: Ledger, subject: string | undefined): { readonly personal?: string } {
  if (subject === undefined) return {};
  const keys = keysOf(ledger);
  if (subject !== "" && subject.length <= subjectLengthMax) return { personal: keys.provide(subject) };
  throw new TuttiError("INPUT_INVALID", "a subject can't be named so", {
    hint: `Name it with 1 to ${subjectLengthMax} characters, for example with the id of a customer.`,
    facts: { length: subject.length },
  });
}

/**
 * Says in the ledger that the key is destroyed, ends what is still open about the subject, then destroys it. A crash in between leaves the
 * order and the key; the same call again finishes it. @throws TuttiError INPUT_INVALID, CONFIG_INVALID
 */
export async function eraseSubject(
  ledger: Ledger,
  runs: ActiveRuns,
  { subject, by }: { readonly subject: string; readonly by: string },
): Promise<void> {
  const keys = keysOf(ledger);
  const key = keys.findId(subject);
  if (key === undefined) {
    throw new TuttiError("INPUT_INVALID", "nothing is kept about this subject, or it was erased before", {
      hint: "Name it exactly as the runs' `subject` option did.",
    });
  }
  const journal = openSharedJournal(ledger, await openJournal(ledger, "erasure", "subjects"));
  await journal.append({ kind: "erasure-ordered", key: "", body: JSON.stringify({ key, by }) });
  await cancelOpen(storedOf(ledger), runs, key);
  keys.destroy(key);
}

/** Nobody could go on with such a run, and it would wait for ever. Whoever drives it is fenced; what it did is not taken back. */
async function cancelOpen(stored: Ledger, runs: ActiveRuns, key: string): Promise<void> {
  const reason = "the data of its subject was erased";
  for (const { id, parent } of await stored.listRuns({ statuses: openStatuses })) {
    const [first] = await stored.read(id, 1, 1);
    if (first?.kind !== "run-started" || bodyOf(first, first.kind).personal !== key) continue;
    const { log } = await stored.claim(id);
    const wakes = parent === undefined ? {} : { wakes: parent };
    await log.append({ kind: "run-cancelled", key: "", body: toBody({ reason }), status: "cancelled", ...wakes });
    runs.release(id);
    runs.tell(id, { kind: "over", end: { kind: "cancelled", reason } });
  }
}

function keysOf({ personal }: Ledger): SubjectKeys {
  if (personal !== undefined) return personal.keys;
  throw new TuttiError("CONFIG_INVALID", "this ledger can't keep the data of a person sealed", {
    hint: "Open the engine with the path of a SQLite file as its ledger.",
  });
}
