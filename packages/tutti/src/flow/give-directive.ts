import { TuttiError } from "../base/errors.ts";
import { directivesMax, toDirectiveDocument, type GivenDirective } from "../contracts/directive.ts";
import type { RunId } from "../contracts/ids.ts";
import type { DocumentChange, NewEntry } from "../ledger/ledger.ts";
import { refuseExposing } from "../ledger/refuse-exposing.ts";
import type { Driver } from "./driver.ts";
import { toBlobs } from "./step.ts";
import { toBody, toSeen, toStoredValue } from "./stored-value.ts";

export interface Giving {
  readonly given: GivenDirective;
  /** A person's result, with a hand-back. */
  readonly output?: unknown;
}

/** The entry of a directive, for a run that is driven here or for one that is not. */
export function toDirectiveEntry(run: RunId, { given, output }: Giving): NewEntry {
  const payload = toStoredValue("payload", output, "what is handed back");
  return {
    kind: "directive-given",
    key: "",
    body: toBody({ ...given }, payload),
    ...toBlobs(payload),
    ...(given.from === undefined ? { document: toDirectiveChange(run, given.version) } : {}),
  };
}

/** The next version of a run's directive document. */
export function toDirectiveChange(run: RunId, version: number): DocumentChange {
  const document = toDirectiveDocument(run);
  return { kind: "commit", reads: new Map([[document, version - 1]]), writes: [document], holder: "" };
}

/** Refuses what would be too much to tell a model. A run can always be stopped. */
export function refuseTooMany(run: RunId, written: number, kind: GivenDirective["kind"]): void {
  if (written < directivesMax || kind === "stop" || kind === "hand-back") return;
  throw new TuttiError("INPUT_INVALID", `run ${run} has ${written} directives already`, {
    hint: "Stop it, and start another with what stands.",
    facts: { run, most: directivesMax },
  });
}

export interface Given {
  /** How many questions to models were stopped. */
  readonly stopped: number;
  /** Resolves when it is durable. */
  readonly accepted: Promise<void>;
}

/** Writes a directive down and hands it to the run in its turn. */
export function giveDirective(driver: Driver, giving: Giving): Given {
  const { given, output } = giving;
  const seen = toSeen(JSON.stringify(output), output);
  const entry = toDirectiveEntry(driver.run, giving);
  refuseExposing(entry);
  const accepted = driver.accept(entry, () => driver.directive.receive(given, seen));
  // It stands in the queue: whatever is written from here on comes after it.
  return { stopped: driver.directive.announce(given), accepted };
}
