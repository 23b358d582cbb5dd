import { toTuttiError, TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { fields, text } from "../../base/shape.ts";
import type { LedgerEntry } from "../../contracts/entry.ts";
import type { RunId } from "../../contracts/ids.ts";
import type { AppendWaiter, Blob, Claim, ClaimOutcome, Ledger, NewEntry, NewRun, RunLog } from "../ledger.ts";
import { refuseExposing } from "../refuse-exposing.ts";
import { wrapLog } from "../run-log.ts";
import { openAppended, openApproval, references, sealChange } from "./sealed-approval.ts";
import { isSealed, openInnerWords, openBlob, openBody, sealBlob, sealBody, type SubjectKey } from "./sealed-body.ts";
import type { SubjectKeys } from "./subject-keys.ts";

/**
 * A ledger in which runs about a person are stored sealed with that person's key: results, inputs, large values, errors and texts. Whoever
 * reads through it sees them open, as long as the key is there; then "(erased)". Only such runs pay for it.
 * `claim` and `start` throw DATA_ERASED for a run whose key is gone: nothing may be replayed from what is not there.
 */
export function openPersonalLedger(stored: Ledger, keys: SubjectKeys): Ledger {
  const open = (entry: LedgerEntry): LedgerEntry => openEntry(entry, keys);

  function toOpenClaim(claim: Claim): Claim {
    const first = claim.entries[0];
    const id = first === undefined ? undefined : findKeyId(first.body);
    if (id === undefined) return claim;
    const key = getKey(keys, id, claim.record.id);
    return { ...claim, entries: claim.entries.map(open), log: toSealingLog(claim.log, key, keys) };
  }

  function toOpenOutcome(outcome: ClaimOutcome): ClaimOutcome {
    if (outcome.kind !== "claimed") return outcome;
    try {
      const claim = toOpenClaim(outcome.claim);
      return claim === outcome.claim ? outcome : { kind: "claimed", claim };
    } catch (error) {
      return { kind: "refused", error: toTuttiError(error, "BUG") };
    }
  }

  async function startSealed(run: NewRun, id: string): ReturnType<Ledger["start"]> {
    const outcome = await stored.start(sealStart(run, getKey(keys, id, run.id)));
    return outcome.kind === "exists" ? outcome : { ...outcome, claim: toOpenClaim(outcome.claim) };
  }

  return {
    ...stored,
    personal: { stored, keys },
    start(run) {
      const id = findKeyId(run.body);
      return id === undefined ? stored.start(run) : startSealed(run, id);
    },
    claim: async (run) => toOpenClaim(await stored.claim(run)),
    claimTogether: async (runs, isWanted) => (await stored.claimTogether(runs, isWanted)).map(toOpenOutcome),
    read: async (run, fromSeq, limit) => (await stored.read(run, fromSeq, limit)).map(open),
    scan: async (afterLsn, limit) => (await stored.scan(afterLsn, limit)).map(open),
    async readBlob(hash) {
      const content = await stored.readBlob(hash);
      return content === undefined ? undefined : openBlob(content, keys.find);
    },
    async findApproval(id) {
      const approval = await stored.findApproval(id);
      return approval === undefined ? undefined : openApproval(approval, keys.find);
    },
    listApprovals: async (filter) =>
      (await stored.listApprovals(filter)).map((approval) => openApproval(approval, keys.find)),
    async close() {
      await stored.close();
      keys.close();
    },
  };
}

/** An entry as its readers see it. */
export function openEntry(entry: LedgerEntry, keys: SubjectKeys): LedgerEntry {
  if (isSealed(entry.body)) return { ...entry, body: openBody(entry.body, keys.find) };
  // The ledger itself writes how an approval ended, with the words that it holds of it.
  return entry.kind === "approval-decided" ? { ...entry, body: openInnerWords(entry.body, keys.find) } : entry;
}

const personalShape = fields({ personal: text });

/** Which key a run's first body says it is sealed with. */
function findKeyId(body: string): string | undefined {
  if (!body.includes('"personal":"')) return undefined; // most have none, and need no parsing
  const value: unknown = JSON.parse(body);
  return typeof value === "object" && value !== null && "personal" in value
    ? personalShape(value, "").personal
    : undefined;
}

function getKey(keys: SubjectKeys, id: string, run: RunId): SubjectKey {
  const key = keys.find(id);
  if (key !== undefined) return { id, key };
  throw toErasedError(run);
}

export function toErasedError(run: RunId): TuttiError {
  return new TuttiError("DATA_ERASED", `the data of run ${run} was erased`, {
    hint: "`tutti show` and `tutti why` tell what is left of it: what was done, when, and in which order.",
    facts: { run },
  });
}

function toSealingLog(log: RunLog, key: SubjectKey, keys: SubjectKeys): RunLog {
  return wrapLog(log, {
    write(entry, waiter, pace) {
      let sealed: NewEntry;
      try {
        refuseExposing(entry); // behind the seal nobody could see a secret
        sealed = sealEntry(entry, key);
      } catch (error) {
        waiter.onRefused(toTuttiError(error, "BUG"));
        return;
      }
      const opening: AppendWaiter = {
        onAppended: (appended) => waiter.onAppended(openAppended(appended, keys.find)),
        onRefused: (error) => waiter.onRefused(error),
      };
      log.write(sealed, entry.approval === undefined ? waiter : opening, pace);
    },
  });
}

function sealEntry(entry: NewEntry, key: SubjectKey): NewEntry {
  const { starts, approval } = entry;
  const { sealedHashes, ...content } = sealContent(entry, key);
  return {
    ...entry,
    ...content,
    ...(starts === undefined ? {} : { starts: sealStart(starts, key) }),
    ...(approval === undefined ? {} : { approval: sealChange(approval, { key, sealedHashes }) }),
  };
}

/** Also a run that is started by one about a person is about that person. */
function sealStart(run: NewRun, key: SubjectKey): NewRun {
  refuseExposing(run);
  const body = JSON.stringify({ ...JSON.parse(run.body), personal: key.id });
  const { sealedHashes: _, ...content } = sealContent({ body, blobs: run.blobs ?? [] }, key);
  return {
    ...run,
    ...content,
    ...(run.copied === undefined ? {} : { copied: run.copied.map((entry) => sealEntry(entry, key)) }),
  };
}

interface Content {
  readonly body: string;
  readonly blobs?: readonly Blob[];
}

/** A sealed blob has another hash, so whatever refers to it does so by that. Not so a digest, though it may be the same hash: replay compares it. */
function sealContent(
  { body, blobs = [] }: Content,
  key: SubjectKey,
): Content & { readonly sealedHashes: ReadonlyMap<string, string> } {
  let referring = body;
  const sealedHashes = new Map<string, string>();
  const sealed = blobs.map(({ hash, content }): Blob => {
    const hidden = sealBlob(content, key);
    const blob = { hash: sha256(hidden), content: hidden };
    for (const name of ["hash", ...references])
      referring = referring.replaceAll(`"${name}":"${hash}"`, `"${name}":"${blob.hash}"`);
    sealedHashes.set(hash, blob.hash);
    return blob;
  });
  return { body: sealBody(referring, key), ...(sealed.length === 0 ? {} : { blobs: sealed }), sealedHashes };
}
