import { TuttiError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { toPolicyDecisions, type PolicyDecision } from "../contracts/policy-decision.ts";
import type { Policy, PolicyRequest, PolicyVerdict } from "../contracts/policy.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { RuledPolicy } from "../policy/policy.ts";

/** A recorded decision that another policy would have made otherwise. */
export interface PolicyDifference {
  readonly run: RunId;
  readonly step: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly request: PolicyRequest;
  readonly recorded: PolicyVerdict;
  /** The policy that decided then. */
  readonly policy: Pick<Policy, "name" | "version">;
  readonly now: PolicyVerdict;
}

export interface PolicyReplay {
  readonly decisions: number;
  readonly same: number;
  /** How many decisions changed, by what became what: `allow → deny`; `needs → needs` if other approvals would be asked for. */
  readonly changes: Readonly<Record<string, number>>;
  /** The first ones. */
  readonly differences: readonly PolicyDifference[];
  /** How many decisions each rule would have taken part in, by its id. Those with 0 never fired. */
  readonly firings: Readonly<Record<string, number>>;
}

export interface ReplayOptions {
  /** At most so many differences are returned (20). */
  readonly differencesMax?: number;
  readonly signal?: AbortSignal;
}

const pageEntries = 1_000;
const differencesMaxDefault = 20;

/**
 * What a policy would have decided of everything that a ledger holds decisions about. Reads the ledger in pages, so its size does not matter.
 * @throws TuttiError LEDGER_CORRUPT for an entry that can't be read
 */
export async function replayPolicy(
  ledger: Pick<Ledger, "scan" | "readBlob">,
  policy: RuledPolicy,
  { differencesMax = differencesMaxDefault, signal }: ReplayOptions = {},
): Promise<PolicyReplay> {
  const firings = new Map(policy.rules.map(({ id }) => [id, 0]));
  const changes = new Map<string, number>();
  const differences: PolicyDifference[] = [];
  let decisions = 0;
  let same = 0;
  for await (const entry of readDecisions(ledger, signal)) {
    const { body } = entry;
    const request = await restoreInput(ledger, entry);
    const now = policy.decide(request);
    decisions++;
    for (const rule of now.rules) firings.set(rule, (firings.get(rule) ?? 0) + 1);
    const change = toChange(body.verdict, now);
    if (change === undefined) {
      same++;
      continue;
    }
    changes.set(change, (changes.get(change) ?? 0) + 1);
    const { run, key: step, at } = entry.entry;
    if (differences.length < differencesMax)
      differences.push({ run, step, at, request, recorded: body.verdict, policy: body.policy, now });
  }
  return { decisions, same, changes: Object.fromEntries(changes), differences, firings: Object.fromEntries(firings) };
}

interface Decision {
  readonly entry: LedgerEntry;
  readonly body: PolicyDecision;
}

async function* readDecisions(
  ledger: Pick<Ledger, "scan">,
  signal: AbortSignal | undefined,
): AsyncGenerator<Decision, void> {
  for (let after = 0; ;) {
    signal?.throwIfAborted();
    const page = await ledger.scan(after, pageEntries);
    for (const entry of page) {
      for (const body of toPolicyDecisions(entry)) yield { entry, body };
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.lsn;
  }
}

/** The request with its input, which is stored apart when it is large. */
async function restoreInput(
  ledger: Pick<Ledger, "readBlob">,
  { entry, body: { request, inputRef } }: Decision,
): Promise<PolicyRequest> {
  if (inputRef === undefined) return request;
  const text = await ledger.readBlob(inputRef.hash);
  if (text === undefined)
    throw new TuttiError("LEDGER_CORRUPT", `the input of the decision in entry ${entry.seq} of ${entry.run} is gone`, {
      hint: "Run `tutti verify` to see what else is missing.",
      facts: { run: entry.run, seq: entry.seq },
    });
  const input: unknown = JSON.parse(text);
  return { ...request, context: { ...request.context, input } };
}

/** Which rule says so does not matter; what follows does. */
function toChange(recorded: PolicyVerdict, now: PolicyVerdict): string | undefined {
  const asksAlike =
    recorded.kind !== "needs" || now.kind !== "needs" || toAsked(recorded.approvals) === toAsked(now.approvals);
  return recorded.kind === now.kind && asksAlike ? undefined : `${recorded.kind} → ${now.kind}`;
}

type Approvals = Extract<PolicyVerdict, { readonly kind: "needs" }>["approvals"];

/** The same text for the same approvals in any order. */
function toAsked(approvals: Approvals): string {
  const each = approvals.map(({ count, role, distinctFromInitiator }) =>
    JSON.stringify([count, role ?? null, distinctFromInitiator]),
  );
  return each.toSorted().join("\n");
}
