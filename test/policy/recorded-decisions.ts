import type { BodyOf } from "../../packages/tutti/src/contracts/entry.ts";
import { toRunId } from "../../packages/tutti/src/contracts/ids.ts";
import type { Policy, PolicyRequest } from "../../packages/tutti/src/contracts/policy.ts";
import type { Blob, Ledger } from "../../packages/tutti/src/ledger/ledger.ts";

interface Decided {
  readonly requests: readonly PolicyRequest[];
  /** The input of them all, stored apart. */
  readonly inputRef?: BodyOf<"policy-decided">["inputRef"];
  readonly blobs?: readonly Blob[];
}

/** Writes down, in one run, what a policy decides of these requests, as an engine does. */
export async function recordDecisions(
  ledger: Ledger,
  policy: Policy,
  { requests, inputRef, blobs = [] }: Decided,
): Promise<void> {
  const { name, version } = policy;
  const body = JSON.stringify({ flow: "pay", version: "1" });
  const started = await ledger.start({ id: toRunId("run-1"), flow: "pay", version: "1", body });
  if (started.kind !== "started") throw new Error("the ledger is not a new one");
  const { log } = started.claim;
  const written = requests.map((request, at) => {
    const decided = { request, verdict: policy.decide(request), policy: { name, version }, inputRef };
    return log.append({ kind: "policy-decided", key: `/step#${at + 1}`, body: JSON.stringify(decided), blobs });
  });
  await Promise.all(written);
}
