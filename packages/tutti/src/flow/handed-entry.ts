import type { TuttiError } from "../base/errors.ts";
import type { AppendWaiter, Pace } from "../ledger/ledger.ts";
import type { Delivery, Handing } from "./delivery.ts";

/** Whom an entry is handed to on its way back from the ledger. */
export interface EntryHost {
  readonly delivery: Delivery;
  /** An entry that was handed over before it was on disk is there now. */
  onCaughtUpWith(entry: HandedEntry): void;
  /** The ledger takes nothing from this driver any more. */
  abandon(error: TuttiError): void;
}

/** An entry on its way to the ledger, and from there to the flow's code. */
export class HandedEntry implements Handing, AppendWaiter {
  isReady = false;
  next: Handing | undefined = undefined;
  readonly apply: () => void;
  readonly pace: Pace;
  private readonly host: EntryHost;

  constructor(host: EntryHost, pace: Pace, apply: () => void) {
    this.host = host;
    this.pace = pace;
    this.apply = apply;
  }

  onAppended(): void {
    if (this.isReady) this.host.onCaughtUpWith(this);
    else this.host.delivery.ready(this);
  }

  onRefused(error: TuttiError): void {
    this.host.abandon(error);
  }
}
