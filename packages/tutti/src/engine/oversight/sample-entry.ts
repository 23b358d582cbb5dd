import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import { toVisibleText } from "../../base/visible-text.ts";
import type { ApprovalPackage } from "../../contracts/approval-package.ts";
import { bodyOf } from "../../contracts/entry.ts";
import { toApprovalId, toStepKey, type RunId } from "../../contracts/ids.ts";
import { toPolicyField, type Policy } from "../../contracts/policy.ts";
import type { Sample } from "../../contracts/review.ts";
import type { Ledger, NewEntry } from "../../ledger/ledger.ts";

const deadlineMs = 30 * 24 * 3_600_000;
const idDigits = 12;
const outputCharactersMax = 20_000;

interface AskedOf {
  readonly run: RunId;
  readonly now: number;
  readonly peopleKnown: boolean;
  readonly policy: Policy | undefined;
  readonly role: string | undefined;
}

/** An output that was drawn, put before people. One entry: with it they are asked, once for each output. */
export async function toSampleEntry(ledger: Ledger, sample: Sample, asked: AskedOf): Promise<NewEntry> {
  const { run: reviewed, flow, version, outputLsn } = sample;
  const { run, now, peopleKnown, policy, role } = asked;
  const step = toStepKey(`/${reviewed}`);
  const dueAt = now + deadlineMs;
  const binding = { output: String(outputLsn) };
  const about = `Is the output of run ${reviewed} (${flow}@${version}) right?`;
  const content = toCanonicalJson(await toPackage(ledger, sample, { about, step, dueAt, run, binding }));
  const hash = sha256(content);
  const need = role === undefined ? {} : { need: { count: 1, role, distinctFromInitiator: false } };
  const request = {
    kind: "review",
    about,
    round: 1,
    binding,
    package: hash,
    needs: [],
    stages: [{ deadlineMs, onTimeout: "deny", ...need }],
    peopleKnown,
    matter: { names: [`review/${flow}`], flow, ...toPolicyField(policy) },
  } as const;
  const approval = toApprovalId(sha256(`review:${reviewed}:${outputLsn}`).slice(0, idDigits));
  const none = { votes: [], delegations: [], stage: 0, state: "open" } as const;
  return {
    kind: "output-sampled",
    key: step,
    body: JSON.stringify({ approval, dueAt, ...request, ...sample, run: reviewed }),
    onceKey: `review:${reviewed}:${outputLsn}`,
    blobs: [{ hash, content }],
    approval: { kind: "request", approval: { id: approval, run, step, dueAt, ...request, ...none } },
  };
}

type Shown = Pick<ApprovalPackage, "dueAt"> & {
  readonly about: string;
  readonly step: string;
  readonly run: string;
  readonly binding: ApprovalPackage["versions"];
};

async function toPackage(ledger: Ledger, sample: Sample, shown: Shown): Promise<ApprovalPackage> {
  const { about, step, dueAt, run, binding } = shown;
  return {
    kind: "review",
    summary: about,
    run,
    step,
    askedBy: "the engine",
    details: toVisibleText(await readOutput(ledger, sample)),
    rules: [],
    recommendation: { by: "engine", text: "None: it was drawn, not suspected." },
    reasons: [{ by: "engine", text: `It was drawn as ${sample.stratum}.` }],
    alternatives: [
      { by: "engine", text: "Say that it is good, or what is wrong with it: tutti review." },
      { by: "engine", text: "Do nothing: it counts as not looked at." },
    ],
    evidence: [],
    risk: { level: "low", why: "A review changes nothing in the run." },
    dueAt,
    otherwise: "If nobody looks at it in time, it counts as not looked at.",
    deciders: ["1 person"],
    versions: binding,
  };
}

/** Data of a run about a person stays in its run, where it is sealed. */
async function readOutput(ledger: Ledger, { run, outputLsn }: Sample): Promise<string> {
  const look = `Look at it with: tutti show ${run}`;
  const [first] = await ledger.read(run, 1, 1);
  if (first === undefined || bodyOf(first, "run-started").personal !== undefined) return look;
  const [entry] = await ledger.scan(outputLsn - 1, 1);
  if (entry === undefined) return look;
  const { out, outRef } = bodyOf(entry, "run-done");
  const text = outRef === undefined ? JSON.stringify(out ?? null) : ((await ledger.readBlob(outRef.hash)) ?? "");
  return text.length <= outputCharactersMax ? text : `${text.slice(0, outputCharactersMax)}… ${look}`;
}
