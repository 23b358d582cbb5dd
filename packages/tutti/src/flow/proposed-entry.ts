import type { TuttiError } from "../base/errors.ts";
import type { Appended, AppendWaiter } from "../ledger/ledger.ts";
import type { Delivery, Handing } from "./delivery.ts";

interface ProposedTo {
  readonly delivery: () => Delivery;
  /** The ledger takes nothing from this driver any more. */
  readonly abandon: (error: TuttiError) => void;
}

/** An entry that the ledger may turn down. Its answer is handed over in the entry's turn. */
export class ProposedEntry implements Handing, AppendWaiter {
  isReady = false;
  next: Handing | undefined = undefined;
  private answer: Appended | undefined;
  private readonly host: ProposedTo;
  private readonly onAnswer: (appended: Appended) => void;

  constructor(host: ProposedTo, onAnswer: (appended: Appended) => void) {
    this.host = host;
    this.onAnswer = onAnswer;
  }

  apply(): void {
    if (this.answer !== undefined) this.onAnswer(this.answer);
  }

  onAppended(appended: Appended): void {
    this.answer = appended;
    this.host.delivery().ready(this);
  }

  onRefused(error: TuttiError): void {
    this.host.abandon(error);
  }
}
