import type { Claim, Ledger } from "../../packages/tutti/src/ledger/ledger.ts";

/** The three ways to a run's log, with something standing in between in each. */
export function changeClaims(
  ledger: Ledger,
  change: (claim: Claim) => Claim,
): Pick<Ledger, "start" | "claim" | "claimTogether"> {
  return {
    async start(run) {
      const outcome = await ledger.start(run);
      return outcome.kind === "started" ? { ...outcome, claim: change(outcome.claim) } : outcome;
    },
    claim: async (run) => change(await ledger.claim(run)),
    async claimTogether(runs, isWanted) {
      const outcomes = await ledger.claimTogether(runs, isWanted);
      return outcomes.map((each) => (each.kind === "claimed" ? { ...each, claim: change(each.claim) } : each));
    },
  };
}
