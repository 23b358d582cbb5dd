import type { CallableHistory, CallableVersion } from "../../contracts/api/agents.ts";
import { addSums, noSums, toMeasured, withLength, type Periods } from "./periods.ts";
import type { Tally } from "./tally.ts";

/** Of fewer calls a share or a mean says little: with 20, one failure more or less is five hundredths. */
const enoughCalls = 20;

type Asked = Pick<CallableHistory, "kind" | "name">;

/** How one callable went, version by version, over all tallies that are given: those of one tenant, or of all. */
export function toCallableHistory(tallies: Iterable<Tally>, { kind, name }: Asked): CallableHistory {
  const own = [...tallies].filter((tally) => tally.kind === kind && tally.name === name);
  const periodMs = Math.max(0, ...own.map(({ periods }) => periods.lengthMs));
  const versions = [...Map.groupBy(own, ({ version }) => version)].map(([version, parts]) =>
    toVersion(version, parts, periodMs),
  );
  return {
    kind,
    name,
    periodMs,
    enoughCalls,
    versions: versions.toSorted((left, right) => left.firstAt - right.firstAt),
  };
}

function toVersion(version: string | undefined, parts: readonly Tally[], periodMs: number): CallableVersion {
  const all = noSums();
  const together: Periods = { lengthMs: periodMs, sumsByNumber: {} };
  for (const { periods } of parts) {
    for (const [number, sums] of Object.entries(withLength(periods, periodMs).sumsByNumber)) {
      addSums((together.sumsByNumber[Number(number)] ??= noSums()), sums);
      addSums(all, sums);
    }
  }
  return {
    version,
    firstAt: Math.min(...parts.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...parts.map(({ lastAt }) => lastAt)),
    all: toMeasured(all),
    periods: Object.entries(together.sumsByNumber)
      .map(([number, sums]) => ({ at: Number(number) * periodMs, measured: toMeasured(sums) }))
      .toSorted((left, right) => left.at - right.at),
  };
}
