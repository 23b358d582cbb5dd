import { isTuttiError, TuttiError, toReplayable, toStoredError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson, toJsonText } from "../../base/json.ts";
import type {
  Advice,
  ApprovalStage,
  ApproveOptions,
  AskOptions,
  Decided,
  LadderStage,
} from "../../contracts/approval.ts";
import type { StepKey } from "../../contracts/ids.ts";
import { parseWith } from "../../contracts/schema.ts";
import type { NewEntry } from "../../ledger/ledger.ts";
import type { Driver } from "../driver.ts";
import { labelsAt } from "../labels.ts";
import { takeRecorded } from "../recorded.ts";
import { openPending, type Pending, type Scope } from "../scope.ts";
import { toBlobs } from "../step.ts";
import { toBody, toSeen, toStoredOutput } from "../stored-value.ts";
import { describeOtherwise } from "./action-package.ts";
import { toStages } from "./approval-stages.ts";
import type { Asking, Obtained } from "./asking.ts";
import { obtainApproval } from "./obtain-approval.ts";
import { toQuestionPackage, type Shown } from "./question-package.ts";

const never = new Promise<never>(() => {});
const sentenceCharactersMax = 2_000;
const optionsMax = 50;

/** `run.ask`: a typed answer of a person. */
export async function askPerson(
  driver: Driver,
  scope: Scope,
  { question, options }: { readonly question: string; readonly options: AskOptions<unknown> },
): Promise<unknown> {
  const { name = "ask" } = options;
  const key = driver.enter(scope, name, "run.ask()");
  if (key === undefined) return never;
  refuseLong(question, options.options ?? [], options.advice);
  const what = "the answer";
  const parseAnswer = async (value: unknown): Promise<unknown> =>
    parseWith(options.schema, value, { code: "INPUT_INVALID", what });
  const answer = await decideStep(driver, {
    key,
    scope,
    kind: "question",
    name,
    sentence: question,
    stage: toStage(driver, options),
    details: undefined,
    options: options.options,
    advice: options.advice,
    otherwise:
      options.otherwise === undefined
        ? "If nobody answers in time, the question has failed, and the flow is told so."
        : `If nobody answers in time, this counts: ${toJsonText(options.otherwise, "the answer otherwise")}`,
    parseAnswer,
    onObtained: (obtained) => {
      if (obtained.kind === "granted") return { kind: "done", value: { answer: obtained.answer } satisfies Answered };
      const isLate = obtained.kind === "refused" && obtained.error.code === "APPROVAL_EXPIRED";
      if (isLate && options.otherwise !== undefined)
        return { kind: "done", value: { otherwise: true } satisfies Answered };
      return { kind: "failed", error: toFailure(obtained) };
    },
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by the function above, or by the same one before a crash
  const answered = answer as Answered;
  return "otherwise" in answered ? options.otherwise : parseAnswer(answered.answer);
}

/** As a person gave it, or that nobody did in time. */
type Answered = { readonly answer: unknown } | { readonly otherwise: true };

/** `run.approve`: a yes or no of people. */
export async function askForYes(
  driver: Driver,
  scope: Scope,
  { what, options }: { readonly what: string; readonly options: ApproveOptions },
): Promise<Decided> {
  const { name = "approve" } = options;
  const key = driver.enter(scope, name, "run.approve()");
  if (key === undefined) return never;
  refuseLong(what, [], options.advice);
  const stage = toStage(driver, options);
  const decided = await decideStep(driver, {
    key,
    scope,
    kind: "decision",
    name,
    sentence: what,
    stage,
    options: undefined,
    advice: options.advice,
    otherwise: describeOtherwise(stage),
    details: toJsonText(options.details, "the details of a decision"),
    parseAnswer: undefined,
    onObtained(obtained) {
      const by = "approval" in obtained ? obtained.approval?.decidedBy : undefined;
      const said = by === undefined ? {} : { by };
      if (obtained.kind === "granted") return { kind: "done", value: { approved: true, ...said } satisfies Decided };
      const isNo =
        obtained.kind === "refused" && ["APPROVAL_REJECTED", "APPROVAL_EXPIRED"].includes(obtained.error.code);
      if (!isNo) return { kind: "failed", error: toFailure(obtained) };
      const reason = obtained.approval?.why ?? obtained.error.message;
      return { kind: "done", value: { approved: false, ...said, reason } satisfies Decided };
    },
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by the function above, or by the same one before a crash
  return decided as Decided;
}

function refuseLong(sentence: string, options: readonly string[], advice: Advice | undefined): void {
  const said =
    advice === undefined ? [] : [advice.recommend, ...(advice.reasons ?? []), ...(advice.alternatives ?? [])];
  const fits = [sentence, ...said].every((text) => text.trim() !== "" && text.length <= sentenceCharactersMax);
  if (fits && options.length <= optionsMax && said.length <= optionsMax) return;
  throw new TuttiError("INPUT_INVALID", "people can't be asked this: it says nothing, or too much", {
    hint: `Ask in at most ${sentenceCharactersMax} characters, with at most ${optionsMax} options, reasons and alternatives.`,
  });
}

function toFailure(obtained: Exclude<Obtained, { readonly kind: "granted" }>): TuttiError {
  if (obtained.kind === "refused") return obtained.error;
  return new TuttiError("DOCUMENT_CONFLICT", "what the question relies on has a newer version");
}

const personPrefix = "person:";

type Whom = Pick<ApproveOptions, "of" | "count" | "distinctFromInitiator" | "deadlineMs">;

/** Whom a question is for. A role may have a ladder of its own. */
function toStage({ host }: Driver, { of, count, distinctFromInitiator, deadlineMs }: Whom): readonly ApprovalStage[] {
  const isPerson = of?.startsWith(personPrefix) === true;
  const own: LadderStage = {
    ...(of === undefined ? {} : isPerson ? { persons: [of.slice(personPrefix.length)] } : { role: of }),
    ...(count === undefined ? {} : { count }),
    ...(distinctFromInitiator === undefined ? {} : { distinctFromInitiator }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
  const { ladders } = host.approvals;
  const [first, ...next] = (of === undefined || isPerson ? undefined : ladders[`role/${of}`]) ?? [];
  return toStages([{ ...first, ...own }, ...next], true);
}

interface Question extends Shown {
  readonly name: string;
  readonly parseAnswer: Asking["parseAnswer"] | undefined;
  readonly onObtained: (obtained: Obtained) => Ended;
}

type Ended =
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: TuttiError };

/** A step whose result people give. */
function decideStep(driver: Driver, question: Question): Promise<unknown> {
  const { key, scope, sentence, details, options, advice } = question;
  if (scope.cancelled !== undefined) return Promise.reject(scope.cancelled);
  const asked = { sentence, details: details ?? null, options: options ?? null };
  const digest = sha256(toCanonicalJson(advice === undefined ? asked : { ...asked, advice }));
  const kinds = ["step-done", "step-failed"] as const;
  const recorded = takeRecorded<unknown>(driver, scope, { key, kinds, digest, verb: "a question to people" });
  if (recorded !== undefined) return recorded;
  const pending = openPending<unknown>(scope, key);
  driver.delivery.whenLive(() => {
    if (pending.over) return;
    obtainApproval(driver, toAsking(driver, question, { digest, pending }), (obtained) =>
      record(driver, { key, digest, pending, obtained }, question.onObtained(obtained)),
    );
  });
  return pending.promise;
}

interface Place {
  readonly digest: string;
  readonly pending: Pending;
}

function toAsking(driver: Driver, question: Question, { digest, pending }: Place): Asking {
  const { key, kind, name, scope, sentence, stage, parseAnswer } = question;
  const { flow, version } = driver.history.started;
  const relied = driver.documentsInUse?.reliedAt(scope);
  const reads = relied === undefined || relied.size === 0 ? undefined : relied;
  const binding = {
    question: digest,
    flow: `${flow}@${version}`,
    reads: reads === undefined ? "" : sha256(toCanonicalJson(Object.fromEntries(reads))),
  };
  return {
    key,
    pending,
    kind,
    names: [`${kind}/${name}`],
    labels: labelsAt(scope),
    about: sentence,
    binding,
    needs: [],
    stages: stage,
    before: [],
    reads,
    toPackage: ({ dueAt }) => toQuestionPackage(driver, question, { dueAt, binding }),
    ...(parseAnswer === undefined ? {} : { parseAnswer }),
  };
}

interface Recording extends Place {
  readonly key: StepKey;
  readonly obtained: Obtained;
}

function record(driver: Driver, { key, digest, pending, obtained }: Recording, ended: Ended): void {
  if (ended.kind === "failed") {
    fail(driver, { key, digest, pending }, ended.error);
    return;
  }
  try {
    const out = toStoredOutput(ended.value, key);
    const seen = toSeen(out.json, ended.value);
    const entry: NewEntry = { kind: "step-done", key, body: toBody({ digest }, out), ...toBlobs(out) };
    driver.hand({ ...entry, ...toUsed(obtained) }, "awaited", () => {
      driver.produced(key, seen);
      pending.resolve(seen);
    });
  } catch (error) {
    if (!isTuttiError(error)) throw error;
    fail(driver, { key, digest, pending }, error);
  }
}

/** What people said is used by being handed over. */
function toUsed(obtained: Obtained): Pick<NewEntry, "approval"> {
  if (obtained.kind !== "granted") return {};
  const { id, step, binding } = obtained.approval;
  return { approval: { kind: "use", id, step, binding } };
}

function fail(driver: Driver, { key, digest, pending }: Place & { readonly key: StepKey }, error: TuttiError): void {
  const body = toBody({ error: toStoredError(error), digest });
  driver.hand({ kind: "step-failed", key, body }, "awaited", () => pending.reject(toReplayable(error)));
}
