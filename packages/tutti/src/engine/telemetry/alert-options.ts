import { TuttiError } from "../../base/errors.ts";

/** When somebody is told; a rule that is not named tells nobody. */
export interface AlertRules {
  /** A run that is at work or due has written nothing for so long, or is parked. */
  readonly stuckRun?: { readonly afterMs: number };
  /** Nobody knows whether an effect happened. */
  readonly inDoubt?: { readonly afterMs?: number };
  /** Nobody has decided on an approval in time. */
  readonly approvalOverdue?: { readonly afterMs?: number };
  /** So much of the budget of a tenant or a flow is spent or reserved: 0.8 by default. */
  readonly budget?: { readonly ratio?: number };
  /** A tool or a provider is left alone because it failed too often. */
  readonly breakerOpen?: { readonly afterMs?: number };
  /** Of the runs of a flow that ended within the window so many failed: half of at least 10 within an hour by default. */
  readonly failureRate?: { readonly ratio?: number; readonly windowMs?: number; readonly runsMin?: number };
}

export interface AlertOptions {
  readonly rules: AlertRules;
  /** Where alerts are posted, as CloudEvents. */
  readonly url: string;
  /** The HMAC-SHA256 of the body under this key goes with each, in `x-signature-256`. */
  readonly key?: string;
}

export type AlertRule = keyof AlertRules;

/** Every threshold of the rules that are named. */
export interface Thresholds {
  readonly stuckRun?: { readonly afterMs: number };
  readonly inDoubt?: { readonly afterMs: number };
  readonly approvalOverdue?: { readonly afterMs: number };
  readonly budget?: { readonly afterMs: number; readonly ratio: number };
  readonly breakerOpen?: { readonly afterMs: number };
  readonly failureRate?: {
    readonly afterMs: number;
    readonly ratio: number;
    readonly windowMs: number;
    readonly runsMin: number;
  };
}

const defaults = {
  stuckRun: { afterMs: 0 },
  inDoubt: { afterMs: 0 },
  approvalOverdue: { afterMs: 0 },
  budget: { afterMs: 0, ratio: 0.8 },
  breakerOpen: { afterMs: 0 },
  failureRate: { afterMs: 0, ratio: 0.5, windowMs: 3_600_000, runsMin: 10 },
} as const satisfies Required<Thresholds>;

/** @throws TuttiError DEFINITION_INVALID */
export function toThresholds({ rules, url, key }: AlertOptions): Thresholds {
  const protocol = URL.parse(url)?.protocol;
  if (protocol !== "http:" && protocol !== "https:")
    throw toInvalid("their url is no address of http or https", "Give the address of a webhook.");
  if (key === "") throw toInvalid("their key is empty", "Give a key that both sides know, or leave it out.");
  const found: Record<string, Readonly<Record<string, number>>> = {};
  for (const [rule, given] of Object.entries(rules)) {
    if (!Object.hasOwn(defaults, rule))
      throw toInvalid(`there is no rule ${rule}`, `There are ${Object.keys(defaults).join(", ")}.`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line above says that it is one of them
    const known: Readonly<Record<string, number>> = defaults[rule as AlertRule];
    for (const [name, value] of Object.entries<unknown>(given)) {
      const isRight = Object.hasOwn(known, name) && typeof value === "number" && Number.isFinite(value) && value >= 0;
      if (!isRight || (name === "ratio" && !(value > 0 && value <= 1)))
        throw toInvalid(
          `${rule} can't have ${name}: ${String(value)}`,
          "Milliseconds and counts are 0 or more, ratios above 0 and at most 1.",
        );
    }
    found[rule] = { ...known, ...given };
  }
  return found;
}

function toInvalid(what: string, hint: string): TuttiError {
  return new TuttiError("DEFINITION_INVALID", `alerts: ${what}`, { hint });
}
