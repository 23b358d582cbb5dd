import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { openBreaker, type BreakerGuard, type Verdict } from "./breaker.ts";

function call(breaker: BreakerGuard, now: number, verdict: Verdict): void {
  breaker.end(now, verdict, breaker.begin(now));
}

test("failures in a row open it, and a success in between does not", verifies("D7"), () => {
  const breaker = openBreaker({ failures: 3, openMs: 100 }, undefined);
  for (const verdict of ["failed", "failed", "worked", "failed", "failed"] as const) call(breaker, 0, verdict);
  expect(breaker.refusalMs(0, true)).toBeUndefined();
  call(breaker, 10, "failed");
  expect(breaker.refusalMs(10, true)).toBe(100);
  expect(breaker.refusalMs(109, true)).toBe(1);
  expect(breaker.refusalMs(110, true)).toBeUndefined();
});

test(
  "a share of failures in the window opens it, however they lie; what is older than the window does not count",
  verifies("D7"),
  () => {
    const settings = { failures: 99, ratio: 0.5, windowMs: 1_000, callsMin: 4, openMs: 100 };
    const breaker = openBreaker(settings, undefined);
    for (const verdict of ["failed", "failed", "failed"] as const) call(breaker, 0, verdict);
    expect(breaker.open).toBeUndefined();
    for (const verdict of ["worked", "worked", "worked", "failed"] as const) call(breaker, 1_001, verdict);
    expect(breaker.open).toBeUndefined();
    for (const verdict of ["failed", "failed"] as const) call(breaker, 1_500, verdict);
    expect(breaker.open).toEqual({ untilMs: 1_600, openings: 1 });
  },
);

test(
  "half-open, one at a time may try; each try that fails doubles the pause up to its longest",
  verifies("D7"),
  () => {
    const breaker = openBreaker({ failures: 1, openMs: 100, openMaxMs: 300 }, undefined);
    call(breaker, 0, "failed");
    const isProbe = breaker.begin(100);
    expect(isProbe).toBe(true);
    expect(breaker.refusalMs(100, true)).toBe(100); // another one tries already
    breaker.end(150, "failed", isProbe);
    expect(breaker.open).toEqual({ untilMs: 350, openings: 2 });
    call(breaker, 350, "failed");
    expect(breaker.open).toEqual({ untilMs: 650, openings: 3 });
    call(breaker, 650, "unclear"); // a try that was cancelled says nothing; the next one may
    expect(breaker.refusalMs(650, true)).toBeUndefined();
    call(breaker, 650, "worked");
    expect(breaker.open).toBeUndefined();
    call(breaker, 700, "failed");
    expect(breaker.open).toEqual({ untilMs: 800, openings: 1 });
  },
);

test("a call that began before it opened neither closes it nor lengthens its pause", verifies("D7"), () => {
  const breaker = openBreaker({ failures: 1, openMs: 100 }, undefined);
  const early = breaker.begin(0);
  const other = breaker.begin(0);
  breaker.end(1, "failed", early);
  breaker.end(2, "worked", other);
  expect(breaker.open).toEqual({ untilMs: 101, openings: 1 });
});

test("a call that can't be repeated is let through only after four pauses", verifies("D7"), () => {
  const breaker = openBreaker({ failures: 1, openMs: 100 }, undefined);
  call(breaker, 0, "failed");
  expect(breaker.refusalMs(100, true)).toBeUndefined();
  expect(breaker.refusalMs(100, false)).toBe(300);
  expect(breaker.refusalMs(400, false)).toBeUndefined();
});

test("one that was open in an earlier process is open in the next", verifies("D7"), () => {
  const breaker = openBreaker({ openMs: 100 }, { untilMs: 50, openings: 3 });
  expect(breaker.refusalMs(20, true)).toBe(30);
  call(breaker, 50, "failed");
  expect(breaker.open).toEqual({ untilMs: 850, openings: 4 });
});
