import { TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import type { ApprovalMatter, ApprovalRecord, CountedVote } from "../../contracts/approval.ts";
import { toApprovalId, type StepKey } from "../../contracts/ids.ts";
import { toPolicyField } from "../../contracts/policy.ts";
import { findChanged } from "../../ledger/approval-votes.ts";
import type { NewEntry } from "../../ledger/ledger.ts";
import { toStepError } from "../attempts.ts";
import type { Driver } from "../driver.ts";
import { toLabelField, toSeenLabels } from "../labels.ts";
import { findMissing } from "./approval-stages.ts";
import type { Asking, Obtained } from "./asking.ts";
import { permitVote } from "./permit-vote.ts";

/** So often one step asks because what it asked for has changed; then it gives up. */
export const roundsMax = 5;

/**
 * Asks people, or goes on with what they were asked before a crash. The run waits, and costs nothing while it does. What they said counts for
 * exactly what they were asked: if that has changed since, they are asked anew.
 */
export function obtainApproval(driver: Driver, asking: Asking, done: (obtained: Obtained) => void): void {
  new Obtaining(driver, asking, done).begin();
}

/** How many directives people have given so far: a yes is bound to it. */
export function toDirectiveVersion({ directiveInUse }: Driver): string {
  return String(directiveInUse?.written ?? 0);
}

class Obtaining {
  private readonly driver: Driver;
  private readonly asking: Asking;
  private readonly done: (obtained: Obtained) => void;

  constructor(driver: Driver, asking: Asking, done: (obtained: Obtained) => void) {
    this.driver = driver;
    this.asking = asking;
    this.done = done;
  }

  begin(): void {
    // What the same step asked before is not what it wants now.
    const { driver, asking } = this;
    for (const votable of driver.votables.values()) if (votable.asking.key === asking.key) votable.leave();
    this.beside(async () => {
      const asked = await this.driver.host.approvals.ofStep(this.driver.run, this.asking.key);
      const latest = asked.at(-1);
      if (latest === undefined || latest.state === "superseded" || latest.state === "withdrawn")
        await this.request((latest?.round ?? 0) + 1);
      else await this.take(latest);
    });
  }

  /** Work that has no place in the flow's code. */
  private beside(work: () => Promise<void>): void {
    const { driver, asking } = this;
    driver.begin();
    work()
      .catch((error: unknown) => driver.park(toStepError(asking.key, error), asking.key))
      .finally(() => driver.finish());
  }

  private get isGone(): boolean {
    return this.driver.stopped || this.driver.halted;
  }

  private async request(round: number): Promise<void> {
    const { driver, asking } = this;
    const { approvals, clock } = driver.host;
    const initiator = driver.history.started.by;
    const { kind, about, binding, needs, stages, key } = asking;
    const matter = toMatter(driver, asking);
    const people = approvals.people?.filter(({ name: by, roles }) => mayApprove(driver, matter, { by, roles }));
    const missing = findMissing({ people, needs, stages, initiator });
    const refusal = missing ?? (round > roundsMax ? toRestless(key) : undefined);
    if (refusal !== undefined) {
      this.finish({ kind: "refused", error: refusal, approval: undefined });
      return;
    }
    const dueAt = clock.now() + (stages[0]?.deadlineMs ?? 0);
    const content = toCanonicalJson(await asking.toPackage({ dueAt }));
    if (this.isGone || asking.pending.over) return;
    const peopleKnown = approvals.people !== undefined;
    const hash = sha256(content);
    const fields = { kind, about, round, binding, package: hash, needs, stages, peopleKnown };
    const asked = { ...fields, matter, ...(initiator === undefined ? {} : { initiator }) };
    const id = toApprovalId(sha256(`${driver.run}\n${key}\n${round}`).slice(0, idDigits));
    const none = { votes: [], delegations: [], stage: 0, state: "open" } as const;
    for (const entry of asking.before) void driver.append(entry);
    const appended = await driver.append({
      kind: "approval-requested",
      key,
      body: JSON.stringify({ approval: id, dueAt, ...asked }),
      blobs: [{ hash, content }],
      approval: { kind: "request", approval: { id, run: driver.run, step: key, dueAt, ...asked, ...none } },
      ...(asking.reads === undefined ? {} : { document: { kind: "rely", reads: asking.reads } }),
    });
    if (this.isGone) return;
    if (appended.kind === "stale") this.finish({ kind: "stale", documents: appended.documents });
    else if (appended.kind === "recorded" && appended.approval !== undefined) await this.take(appended.approval);
    else throw new TuttiError("BUG", `${id} was asked for twice`);
  }

  /** Goes on with what the ledger knows of it, if it is still what is wanted. */
  private async take(approval: ApprovalRecord): Promise<void> {
    const { asking } = this;
    if (this.isGone) return;
    if (asking.pending.over) {
      this.withdraw(approval);
      return;
    }
    if (approval.state === "rejected" || approval.state === "expired") {
      this.finish({ kind: "refused", error: toRefusal(approval), approval });
      return;
    }
    if (approval.state === "superseded" || approval.state === "withdrawn") {
      await this.request(approval.round + 1);
      return;
    }
    if (asking.isOutdated?.() === true) {
      await this.supersede(approval, "a person gave another directive");
      this.finish({ kind: "outdated" });
      return;
    }
    const given = await this.readAnswer(approval);
    if (this.isGone) return;
    if (given.changed.length > 0) {
      await this.supersede(approval, `changed since it was asked: ${given.changed.join(", ")}`);
      if (!this.isGone) await this.request(approval.round + 1);
    } else if (approval.state === "open") this.wait(approval);
    else {
      this.onCancel(() => this.withdraw(approval)); // a yes that nobody comes to use any more
      this.finish({ kind: "granted", approval, answer: given.answer, isEdited: given.isEdited });
    }
  }

  /** Besides what follows from a cancel already. */
  private onCancel(work: () => void): () => void {
    const { pending } = this.asking;
    const outer = pending.onCancel;
    pending.onCancel = () => {
      outer?.();
      work();
    };
    return () => void (pending.onCancel = outer);
  }

  private async readAnswer(approval: ApprovalRecord): Promise<Given> {
    const { asking, driver } = this;
    const changed = findChanged(approval.binding, asking.binding);
    if (isUnnamed(driver, approval))
      return { answer: undefined, changed: ["what the policy is told"], isEdited: false };
    if (approval.answer === undefined) return { answer: undefined, changed, isEdited: false };
    const text = await driver.host.approvals.readBlob(approval.answer);
    const answer: unknown = text === undefined ? undefined : JSON.parse(text);
    try {
      if (asking.edit === undefined) {
        await asking.parseAnswer?.(answer);
        return { answer, changed, isEdited: false };
      }
      const edited = await asking.edit(answer);
      return { answer, changed: findChanged(approval.binding, edited.binding), isEdited: true };
    } catch (error) {
      // What a person gave can't be used here: they are asked again.
      return { answer, changed: [toStepError(asking.key, error).message], isEdited: false };
    }
  }

  private wait(approval: ApprovalRecord): void {
    const { driver, asking } = this;
    const { id, dueAt } = approval;
    const release = driver.wait({ kind: "approval", id });
    const disarm = driver.at(dueAt, () => this.beside(() => this.onDue(approval, leave)));
    const unwatch = driver.host.approvals.watch(id, () => look());
    const unleave = driver.whenLeft(() => unwatch());
    const unhear = asking.isOutdated === undefined ? undefined : driver.directive.onWritten(() => look());
    let isLeft = false;
    const leave = (): boolean => {
      if (isLeft) return false;
      isLeft = true;
      release();
      disarm();
      unwatch();
      unhear?.();
      unleave();
      driver.votables.delete(id);
      unwant();
      return true;
    };
    const look = (): void => {
      if (!isLeft && !this.isGone) this.beside(() => this.look(approval, leave));
    };
    driver.votables.set(id, { asking, leave });
    const unwant = this.onCancel(() => {
      if (leave()) this.withdraw(approval);
    });
    look(); // somebody may have voted before anybody listened
  }

  private async look(approval: ApprovalRecord, leave: () => boolean): Promise<void> {
    const now = await this.driver.host.approvals.find(approval.id);
    if (now === undefined || this.isGone) return;
    if ((now.state === "open" && this.asking.isOutdated?.() !== true) || !leave()) return;
    await this.take(now);
  }

  private async onDue(approval: ApprovalRecord, leave: () => boolean): Promise<void> {
    const { driver } = this;
    const { id, step } = approval;
    const now = (await driver.host.approvals.find(id)) ?? approval;
    if (this.isGone || !leave()) return;
    const next = now.stages[now.stage]?.onTimeout ?? "deny";
    const appended = await driver.append({
      kind: "approval-overdue",
      key: step,
      body: JSON.stringify({ approval: id, stage: now.stage, next }),
      approval: { kind: "timeout", id },
    });
    if (this.isGone) return;
    // Somebody was faster, or another stage has begun: the ledger knows.
    const known = "approval" in appended ? appended.approval : undefined;
    await this.take(known ?? now);
  }

  private async supersede({ id, step, state }: ApprovalRecord, why: string): Promise<void> {
    if (state === "open" || state === "granted") await this.driver.append(toEndEntry({ id, step }, "superseded", why));
  }

  private withdraw({ id, step, state }: ApprovalRecord): void {
    if (this.isGone || (state !== "open" && state !== "granted")) return;
    void this.driver.append(toEndEntry({ id, step }, "withdrawn", "nobody waits for it any more"));
  }

  private finish(obtained: Obtained): void {
    if (!this.isGone && !this.asking.pending.over) this.done(obtained);
  }
}

interface Given {
  readonly answer: unknown;
  /** What is not as it was when they were asked. */
  readonly changed: readonly string[];
  readonly isEdited: boolean;
}

/** Older ledgers hold questions that the policy can't be asked about. */
function isUnnamed({ host }: Driver, { state, matter }: ApprovalRecord): boolean {
  return host.policy !== undefined && state === "open" && matter === undefined;
}

function toMatter({ host, history }: Driver, { names, labels }: Asking): ApprovalMatter {
  const { flow, tenant } = history.started;
  return {
    names,
    flow,
    ...(tenant === undefined ? {} : { tenant }),
    ...toLabelField(toSeenLabels(labels)),
    ...toPolicyField(host.policy),
  };
}

function mayApprove(
  { run, host, history }: Driver,
  matter: ApprovalMatter,
  voter: Pick<CountedVote, "by" | "roles">,
): boolean {
  const { by: initiator } = history.started;
  const approval = { run, matter, ...(initiator === undefined ? {} : { initiator }) };
  return permitVote(host.policy, approval, voter).kind === "permitted";
}

const idDigits = 12;

/** The entry that ends an approval without anybody's vote. */
export function toEndEntry(
  { id, step }: Pick<ApprovalRecord, "id" | "step">,
  state: "superseded" | "withdrawn",
  why: string,
): NewEntry {
  const body = JSON.stringify({ approval: id, state, why });
  return { kind: "approval-decided", key: step, body, approval: { kind: "end", id, state, why } };
}

function toRestless(key: StepKey): TuttiError {
  return new TuttiError(
    "APPROVAL_STALE",
    `${key}: what people were asked changed ${roundsMax} times before it was done`,
    { hint: "Ask again when its input and the documents behind it have settled." },
  );
}

function toRefusal(approval: ApprovalRecord): TuttiError {
  const facts = { approval: approval.id };
  if (approval.state === "expired") {
    return new TuttiError("APPROVAL_EXPIRED", `nobody decided in time: ${approval.about}`, {
      hint: "Do something else, or ask again with more time.",
      facts,
    });
  }
  const by = approval.decidedBy ?? "a person";
  return new TuttiError("APPROVAL_REJECTED", `${by} said no${approval.why === undefined ? "" : `: ${approval.why}`}`, {
    hint: "Do not try the same again; do it as the person says, or something else.",
    facts,
  });
}
