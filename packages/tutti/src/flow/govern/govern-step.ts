import type { Driver } from "../driver.ts";
import { recordRefused } from "../effect-share.ts";
import { refuseStale } from "../effect-stale.ts";
import type { StepRequest } from "../step.ts";
import { governCall, toUse } from "./govern-call.ts";
import type { GovernedCall } from "./governed-call.ts";
import { isLimited } from "./grants.ts";
import { toDecisionEntry } from "./policy-decision.ts";

/** What stands in front of a call that changes nothing outside; nothing where there is no policy and no limit. A yes is used before it is made. */
export function toAdmission(driver: Driver, request: Omit<GovernedCall, "pending">): StepRequest["admit"] {
  if (driver.host.policy === undefined && !isLimited(driver, request.scope)) return undefined;
  return (pending, go) => {
    const call: GovernedCall = { ...request, pending };
    governCall(driver, call, {
      go(way) {
        if (way.allowed !== undefined) void driver.append(toDecisionEntry(way.allowed));
        if (way.approval === undefined) {
          go();
          return;
        }
        const body = JSON.stringify({ approval: way.approval.id });
        driver.begin();
        void driver.append({ kind: "approval-used", key: call.key, body, ...toUse(way, call.key) }).then((appended) => {
          if (!driver.stopped && !driver.halted && !pending.over) {
            if (appended.kind === "unapproved") toAdmission(driver, request)?.(pending, go);
            else go();
          }
          driver.finish();
        });
      },
      refuse: (error) => recordRefused(driver, call, error),
      stale: (documents) => refuseStale(driver, { ...call, onSettled() {} }, documents),
    });
  };
}
