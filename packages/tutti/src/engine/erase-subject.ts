import { TuttiError } from "../base/errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { SubjectKeys } from "../ledger/personal/subject-keys.ts";
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
 * Says in the ledger that the key is destroyed, then destroys it. A crash in between leaves both the order and the key; the same call again
 * finishes it. @throws TuttiError INPUT_INVALID, CONFIG_INVALID
 */
export async function eraseSubject(ledger: Ledger, subject: string, by: string): Promise<void> {
  const keys = keysOf(ledger);
  const key = keys.findId(subject);
  if (key === undefined) {
    throw new TuttiError("INPUT_INVALID", "nothing is kept about this subject, or it was erased before", {
      hint: "Name it exactly as the runs' `subject` option did.",
    });
  }
  const journal = openSharedJournal(ledger, await openJournal(ledger, "erasure", "subjects"));
  await journal.append({ kind: "erasure-ordered", key: "", body: JSON.stringify({ key, by }) });
  keys.destroy(key);
}

function keysOf({ personal }: Ledger): SubjectKeys {
  if (personal !== undefined) return personal.keys;
  throw new TuttiError("CONFIG_INVALID", "this ledger can't keep the data of a person sealed", {
    hint: "Open the engine with the path of a SQLite file as its ledger.",
  });
}
