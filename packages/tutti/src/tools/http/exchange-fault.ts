/**
 * Where an exchange broke: `malformed` means that there is no such request; `unsent` that nothing of it left this machine; `unanswered` that it
 * did, and that no answer came; `cut` that the answer is incomplete; `unreadable` and `too-large` that it came and is of no use.
 */
export type FaultStage = "malformed" | "unsent" | "unanswered" | "cut" | "unreadable" | "too-large";

export class ExchangeFault extends Error {
  readonly stage: FaultStage;

  constructor(stage: FaultStage, why: string, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.name = "ExchangeFault";
    this.stage = stage;
  }
}
