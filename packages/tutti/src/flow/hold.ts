import { toFreezeNames, type Freeze, type FreezeName } from "../contracts/freeze.ts";
import type { Driver } from "./driver.ts";
import type { Pending, Scope } from "./scope.ts";

/** What stands in the way of everything that would begin in this place. */
export function findFreeze(driver: Driver, scope: Scope): Freeze | undefined {
  const { freezes } = driver.host;
  return freezes.any ? freezes.find(toNames(driver, scope)) : undefined;
}

function toNames({ run, history }: Driver, scope: Scope): readonly FreezeName[] {
  const names = toFreezeNames(run, history.started);
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent)
    if (at.agent !== undefined) names.push(`agent/${at.agent}`);
  return names;
}

/** Whether nothing may begin in this place: it is frozen, or its run is being stopped. */
export function isHeld(driver: Driver, scope: Scope): boolean {
  return driver.directiveInUse?.isStopping === true || findFreeze(driver, scope) !== undefined;
}

export interface Held {
  readonly scope: Scope;
  /** Left at once when nobody wants it any more. Absent for what has to be done all the same. */
  readonly pending?: Pending;
  readonly go: () => void;
  readonly leave: () => void;
}

/** Goes on as soon as nothing holds this place any more. Until then the run rests here. */
export function whenReleased(driver: Driver, { scope, pending, go, leave }: Held): void {
  const release = driver.wait({ kind: "freeze" });
  const outer = pending?.onCancel;
  const look = (): void => {
    if (driver.stopped || driver.halted || isHeld(driver, scope)) return;
    forget();
    go();
  };
  const forgetting = [
    release,
    driver.host.freezes.onLifted(look),
    driver.directive.onStopped(look),
    driver.whenLeft(() => forget()),
  ];
  const forget = (): void => {
    for (const each of forgetting) each();
    if (pending !== undefined) pending.onCancel = outer;
  };
  if (pending === undefined) return;
  pending.onCancel = () => {
    outer?.();
    forget();
    leave();
  };
}
