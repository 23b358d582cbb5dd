import type { TuttiError } from "../../base/errors.ts";
import type { StaleRead } from "../../contracts/document.ts";
import type { Driver } from "../driver.ts";
import { recordRefused } from "../effect-share.ts";
import { refuseStale } from "../effect-stale.ts";
import type { StepRequest } from "../step.ts";
import { governCall, toUse, type Passage, type Way } from "./govern-call.ts";
import type { GovernedCall } from "./governed-call.ts";
import { toDecisionEntry } from "./policy-decision.ts";

/** What stands in front of a call that changes nothing outside, where somebody has a say in it. A yes is used before it is made. */
export function toAdmission(driver: Driver, request: Omit<GovernedCall, "pending">): NonNullable<StepRequest["admit"]> {
  return (pending, go) => {
    const call: GovernedCall = { ...request, pending };
    governCall(driver, call, new StepPassage(driver, call, go));
  };
}

/** One object for each call. */
class StepPassage implements Passage {
  private readonly driver: Driver;
  private readonly call: GovernedCall;
  private readonly begin: () => void;

  constructor(driver: Driver, call: GovernedCall, begin: () => void) {
    this.driver = driver;
    this.call = call;
    this.begin = begin;
  }

  go(way: Way): void {
    if (way.allowed !== undefined) void this.driver.append(toDecisionEntry(way.allowed));
    if (way.approval === undefined) this.begin();
    else this.use(way, way.approval);
  }

  refuse(error: TuttiError): void {
    recordRefused(this.driver, this.call, error);
  }

  stale(documents: readonly StaleRead[]): void {
    refuseStale(this.driver, { ...this.call, onSettled() {} }, documents);
  }

  private use(way: Way, { id }: NonNullable<Way["approval"]>): void {
    const { driver, call, begin } = this;
    const body = JSON.stringify({ approval: id });
    driver.begin();
    void driver.append({ kind: "approval-used", key: call.key, body, ...toUse(way, call.key) }).then((appended) => {
      if (!driver.stopped && !driver.halted && !call.pending.over) {
        if (appended.kind === "unapproved") governCall(driver, call, new StepPassage(driver, call, begin));
        else begin();
      }
      driver.finish();
    });
  }
}
