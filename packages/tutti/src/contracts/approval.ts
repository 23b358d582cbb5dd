import { branded, fields, flag, integer, listOf, oneOf, recordOf, text, type Shape } from "../base/shape.ts";
import type { ApprovalId, RunId, StepKey } from "./ids.ts";
import type { NeededApprovals } from "./policy.ts";
import type { Schema } from "./schema.ts";

/**
 * `action`: a call that the policy lets happen only with a yes. `decision`: a yes or no for the flow. `question`: an answer for the flow.
 * `promotion`: a higher level for an agent. `review`: whether an output is right.
 */
export type ApprovalKind = "action" | "decision" | "question" | "promotion" | "review";

/**
 * `open`: waits for people. `granted`: a yes that was not used yet. `used`: the action was begun on it; it can't be used again.
 * All others are final and let nothing happen. `superseded`: what was asked for has changed. `withdrawn`: nobody wants it any more.
 */
export type ApprovalState = "open" | "granted" | "used" | "rejected" | "expired" | "superseded" | "withdrawn";

/** The states in which an approval can still become or be a yes. */
export const liveApprovalStates: readonly ApprovalState[] = ["open", "granted"];

/** Who decides, how long they have, and what happens when they don't. */
export interface ApprovalStage {
  /** So many people, with this role. */
  readonly need?: NeededApprovals;
  /** Only these people. */
  readonly persons?: readonly string[];
  /** None of these. */
  readonly except?: readonly string[];
  readonly deadlineMs: number;
  /** `deny`: it is refused. `escalate`: the next stage's people decide in place of these. `proceed`: it counts as a yes. */
  readonly onTimeout: "deny" | "escalate" | "proceed";
  /** To whom a person may hand the decision; without it, to anybody. */
  readonly delegates?: readonly string[];
}

/** A vote that counts. */
export interface CountedVote {
  readonly by: string;
  readonly roles: readonly string[];
  readonly stage: number;
  readonly verdict: "approve" | "abstain";
  /** Whose place the voter took. */
  readonly seatOf?: string;
}

export interface Delegation {
  readonly from: string;
  readonly roles: readonly string[];
  readonly to: string;
  readonly stage: number;
}

/** What an approval is about, in the words of the policy, which is asked about it whenever somebody's vote could lead to a yes. */
export interface ApprovalMatter {
  /**
   * `tool/<name>`, `document/<type>/<key>`, `decision/<name>`, `question/<name>`, `promotion/<agent>` or `review/<flow>`. Several where one yes is
   * for several documents; then the policy has to permit each.
   */
  readonly names: readonly string[];
  readonly flow: string;
  readonly tenant?: string;
  /** What may be said of all that goes in. */
  readonly labels?: readonly string[];
  /** The policy of the engine that asked, `name@version`. Where none can be asked, nobody says yes to it. */
  readonly policy?: string;
}

/** What the ledger knows of an approval. The votes and reasons stand in the entries of its run. */
export interface ApprovalRecord {
  readonly id: ApprovalId;
  readonly run: RunId;
  readonly step: StepKey;
  readonly kind: ApprovalKind;
  /** One sentence: what is asked. */
  readonly about: string;
  readonly state: ApprovalState;
  /** 1 for the first time that the step asks. */
  readonly round: number;
  /** What a yes is bound to, part by part; each is a hash or a version. If one of them changes, the yes is worth nothing. */
  readonly binding: Readonly<Record<string, string>>;
  /** Hash of what people are shown. A vote names it. */
  readonly package: string;
  /** What the policy asks for, over all stages. */
  readonly needs: readonly NeededApprovals[];
  readonly stages: readonly ApprovalStage[];
  /** The stage that decides now, from 0. */
  readonly stage: number;
  /** When this stage's time is over; milliseconds since 1970. */
  readonly dueAt: number;
  /** Older ledgers hold approvals without it. */
  readonly matter?: ApprovalMatter;
  /** Who started the run, if that is known. */
  readonly initiator?: string;
  /** Only people whom the engine knows may decide. */
  readonly peopleKnown: boolean;
  readonly votes: readonly CountedVote[];
  readonly delegations: readonly Delegation[];
  /** Hash of the answer, or of the input as a person has changed it. */
  readonly answer?: string;
  /** Who brought it to its end, and why, if somebody said so. */
  readonly decidedBy?: string;
  readonly why?: string;
  /** The entry that asked for it. */
  readonly askedLsn: number;
  /** The entry that changed it last. */
  readonly lsn: number;
}

/** What a person says. `saw` is the hash of the package that they were shown. */
export type ApprovalVote = {
  readonly by: string;
  /** Nothing where the engine that takes the vote was given no people. */
  readonly roles: readonly string[] | undefined;
  readonly saw: string;
} & (
  | { readonly verdict: "approve" }
  | { readonly verdict: "reject"; readonly reason: string }
  | { readonly verdict: "abstain" }
  /** Counts as a yes to another action: the same tool with another input. */
  | ({ readonly verdict: "edit"; readonly answer: string } & Pick<
      ApprovalRecord,
      "binding" | "package" | "about" | "needs"
    >)
  | { readonly verdict: "answer"; readonly answer: string }
  | { readonly verdict: "delegate"; readonly to: string }
);

/** Why a vote, a use or a timeout did nothing. */
export interface Unapproved {
  readonly kind: "unapproved";
  /** `changed`: what it was granted for is not what is to be done. `early`: its time is not over. */
  readonly reason: "unknown" | "decided" | "stale" | "forbidden" | "changed" | "early";
  readonly why: string;
  readonly approval: ApprovalRecord | undefined;
}

const need: Shape<NeededApprovals> = fields({ count: integer, distinctFromInitiator: flag }, { role: text });

const stageShape: Shape<ApprovalStage> = fields(
  { deadlineMs: integer, onTimeout: oneOf("deny", "escalate", "proceed") },
  { need, persons: listOf(text), except: listOf(text), delegates: listOf(text) },
);

const states = oneOf("open", "granted", "used", "rejected", "expired", "superseded", "withdrawn");

const matterShape: Shape<ApprovalMatter> = fields(
  { names: listOf(text), flow: text },
  { tenant: text, labels: listOf(text), policy: text },
);

/** What an approval is asked with; the rest of its record is made of its votes. */
export const askedShape = fields(
  {
    kind: oneOf("action", "decision", "question", "promotion", "review"),
    about: text,
    round: integer,
    binding: recordOf(text),
    package: text,
    needs: listOf(need),
    stages: listOf(stageShape),
    peopleKnown: flag,
  },
  { initiator: text, matter: matterShape },
);

export const approvalRecordShape: Shape<ApprovalRecord> = (value, path) => ({
  ...askedShape(value, path),
  ...fields(
    {
      id: branded<string, ApprovalId>(text),
      run: branded<string, RunId>(text),
      step: branded<string, StepKey>(text),
      state: states,
      stage: integer,
      dueAt: integer,
      votes: listOf(
        fields(
          { by: text, roles: listOf(text), stage: integer, verdict: oneOf("approve", "abstain") },
          { seatOf: text },
        ),
      ),
      delegations: listOf(fields({ from: text, roles: listOf(text), to: text, stage: integer })),
      askedLsn: integer,
      lsn: integer,
    },
    { answer: text, decidedBy: text, why: text },
  )(value, path),
});

/** Somebody who may decide. */
export interface Person {
  readonly name: string;
  readonly roles: readonly string[];
}

/** One step of a ladder; what is left out is: anybody, one person, seven days, `deny`. */
export interface LadderStage {
  /** Only people with this role. */
  readonly role?: string;
  readonly persons?: readonly string[];
  /** So many different people; 1 by default. */
  readonly count?: number;
  /** Who started the run does not count. */
  readonly distinctFromInitiator?: boolean;
  readonly deadlineMs?: number;
  /**
   * When nobody decides in time. `deny` (default): it is refused. `escalate`: the next stage's people decide in place of these.
   * `proceed`: it counts as a yes, for what can be taken back; anything else is refused.
   */
  readonly onTimeout?: ApprovalStage["onTimeout"];
  /** To whom the decision may be handed. */
  readonly delegates?: readonly string[];
}

/** Who is asked, one after the other. What the policy itself asks for is needed besides. */
export type ApprovalLadder = readonly LadderStage[];

/** What whoever asks would do, and why. People see it as the words of the flow, or of the agent, that asks. */
export interface Advice {
  readonly recommend: string;
  readonly reasons?: readonly string[];
  /** What else could be done. To do nothing always can be. */
  readonly alternatives?: readonly string[];
  /** What it would cost at most. */
  readonly costUsd?: number;
  readonly risk?: { readonly level: "low" | "medium" | "high"; readonly why: string };
}

/** What the flow asks people. */
export interface AskOptions<Answer> {
  /** A role; with `person:`, one person. */
  readonly of: string;
  readonly schema: Schema<Answer>;
  /** What may be answered, in words, for people. */
  readonly options?: readonly string[];
  readonly deadlineMs?: number;
  /** The answer when nobody gives one in time; without it the question fails with APPROVAL_EXPIRED. */
  readonly otherwise?: NoInfer<Answer>;
  readonly advice?: Advice;
  readonly name?: string;
}

export interface ApproveOptions {
  /** A role; with `person:`, one person; anybody by default. */
  readonly of?: string;
  /** So many different people; 1 by default. */
  readonly count?: number;
  readonly distinctFromInitiator?: boolean;
  readonly deadlineMs?: number;
  /** What the decision is about, for people. */
  readonly details?: unknown;
  readonly advice?: Advice;
  readonly name?: string;
}

/** What people decided. When nobody did in time it is a no. */
export interface Decided {
  readonly approved: boolean;
  readonly by?: string;
  readonly reason?: string;
}
