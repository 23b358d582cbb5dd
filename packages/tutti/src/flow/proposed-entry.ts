import type { TuttiError } from "../base/errors.ts";
import type { Appended, AppendWaiter } from "../ledger/ledger.ts";
import type { Handing } from "./delivery.ts";
import type { EntryHost } from "./handed-entry.ts";

/** An entry that the ledger may turn down. Its answer is handed over in the entry's turn. */
export class ProposedEntry implements Handing, AppendWaiter {
  isReady = false;
  next: Handing | undefined = undefined;
  private answer: Appended | undefined;
  private readonly host: EntryHost;
  private readonly onAnswer: (appended: Appended) => void;

  constructor(host: EntryHost, onAnswer: (appended: Appended) => void) {
    this.host = host;
    this.onAnswer = onAnswer;
  }

  apply(): void {
    if (this.answer !== undefined) this.onAnswer(this.answer);
  }

  onAppended(appended: Appended): void {
    this.answer = appended;
    this.host.delivery.ready(this);
  }

  onRefused(error: TuttiError): void {
    this.host.abandon(error);
  }
}
