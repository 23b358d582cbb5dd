import { TuttiError } from "../../base/errors.ts";
import type { ApprovalLadder, ApprovalStage, LadderStage, Person } from "../../contracts/approval.ts";
import type { NeededApprovals } from "../../contracts/policy.ts";

const deadlineDefaultMs = 7 * 24 * 3_600_000;
export const stagesMax = 10;

/** What a ladder says of one thing that is asked. `canBeUndone` decides whether it may go on without anybody's yes. */
export function toStages(ladder: ApprovalLadder | undefined, canBeUndone: boolean): readonly ApprovalStage[] {
  const stages = ladder === undefined || ladder.length === 0 ? [{}] : ladder;
  return stages.map((stage) => toStage(stage, canBeUndone));
}

function toStage(stage: LadderStage, canBeUndone: boolean): ApprovalStage {
  const { role, persons, count, distinctFromInitiator = false, deadlineMs = deadlineDefaultMs, delegates } = stage;
  const onTimeout = stage.onTimeout ?? "deny";
  const hasNeed = role !== undefined || count !== undefined || distinctFromInitiator;
  const need = { count: count ?? 1, distinctFromInitiator, ...(role === undefined ? {} : { role }) };
  return {
    deadlineMs,
    onTimeout: onTimeout === "proceed" && !canBeUndone ? "deny" : onTimeout,
    ...(hasNeed ? { need } : {}),
    ...(persons === undefined ? {} : { persons }),
    ...(delegates === undefined ? {} : { delegates }),
  };
}

export interface Deciders {
  /** Those whom the engine knows and whom the policy lets say yes. */
  readonly people: readonly Person[] | undefined;
  readonly needs: readonly NeededApprovals[];
  readonly stages: readonly ApprovalStage[];
  readonly initiator: string | undefined;
}

/** Why nobody can ever decide this, so that it is not waited for. */
export function findMissing({ people, needs, stages, initiator }: Deciders): TuttiError | undefined {
  const asked = [...needs, ...stages.flatMap(({ need }) => need ?? [])];
  for (const { count, role, distinctFromInitiator } of asked.length === 0 ? [anyone] : asked) {
    if (people === undefined && role === undefined) continue;
    const fitting = (people ?? []).filter(
      ({ name, roles }) =>
        (role === undefined || roles.includes(role)) && (!distinctFromInitiator || name !== initiator),
    );
    if (fitting.length >= count) continue;
    const who = `${count === 1 ? "person" : "people"}${role === undefined ? "" : ` with the role ${role}`}`;
    return new TuttiError(
      "APPROVERS_MISSING",
      `${count} ${who} must say yes, and ${fitting.length} of those whom the engine knows may`,
      {
        hint: "Name them: openTutti({ people: [{ name, roles }] }), and let the policy permit them to approve.",
        facts: { count, known: fitting.length, ...(role === undefined ? {} : { role }) },
      },
    );
  }
  return undefined;
}

/** Who decides, in words. */
export function describeStages(needs: readonly NeededApprovals[], stages: readonly ApprovalStage[]): readonly string[] {
  const told = stages.map(({ need, persons, onTimeout }, index) => {
    const asked = need === undefined ? (needs.length === 0 || persons !== undefined ? [anyone] : needs) : [need];
    const who = [...asked.map(describeNeed), ...(persons === undefined ? [] : [`of ${persons.join(", ")}`])].join(
      ", and ",
    );
    const then = { deny: "it is refused", escalate: "the next are asked", proceed: "it goes on" }[onTimeout];
    return `${stages.length === 1 ? "" : `${index + 1}. `}${who}; if nobody decides in time, ${then}`;
  });
  return told;
}

const anyone: NeededApprovals = { count: 1, distinctFromInitiator: false };

function describeNeed({ count, role, distinctFromInitiator }: NeededApprovals): string {
  const who = `${count} ${count === 1 ? "person" : "people"}${role === undefined ? "" : ` with the role ${role}`}`;
  return distinctFromInitiator ? `${who}, not who started the run` : who;
}
