import { TuttiError } from "../base/errors.ts";
import type { ApproveOptions, AskOptions } from "../contracts/approval.ts";
import type { DocumentType } from "../contracts/document.ts";
import type { BodyOf, RecordKind } from "../contracts/entry.ts";
import type { RunId, StepKey } from "../contracts/ids.ts";
import type { Outcome } from "../contracts/outcome.ts";
import type {
  BranchMap,
  CallOptions,
  Callable,
  FanOut,
  Flow,
  Joined,
  Run,
  SignalOf,
  StepHost,
  StepOptions,
  Transaction,
} from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import type { Topic } from "../contracts/topic.ts";
import { callCallable } from "./call.ts";
import { startChild } from "./child.ts";
import { openDocument } from "./document-handle.ts";
import type { Driver, Verb } from "./driver.ts";
import { digestOfChild } from "./effect-key.ts";
import { publish, waitForEvent } from "./events.ts";
import { fanOut, raceOf, type Branch } from "./fan-out.ts";
import { askForYes, askPerson } from "./govern/ask-person.ts";
import { labelsAt } from "./labels.ts";
import type { Scope } from "./scope.ts";
import { runScoped } from "./scoped.ts";
import { runStep } from "./step.ts";
import { toStoredValue } from "./stored-value.ts";
import { transact } from "./transact.ts";
import { drawDirective, drawNow, drawRandom, drawUuid, isPatched, writeNote, writeRecord } from "./values.ts";
import { emit, sleep, waitForSignal } from "./waits.ts";

const never = new Promise<never>(() => {});
const toStepVerb: Verb = (name) => `run.step("${name}")`;
const toScopeVerb: Verb = (name) => `run.scope("${name}")`;

/** The verbs of a flow, bound to one place in one run. */
export function openRun(driver: Driver, scope: Scope): Run {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the generic verbs are kept by the schemas: what a key returns was parsed by the callable's own
  return new OpenRun(driver, scope) as Run;
}

/** Every branch of a fan-out has one of these, so its verbs are shared and not made for each. */
class OpenRun {
  readonly id: RunId;
  readonly path: string;
  readonly #driver: Driver;
  readonly #scope: Scope;

  constructor(driver: Driver, scope: Scope) {
    this.id = driver.run;
    this.path = scope.path;
    this.#driver = driver;
    this.#scope = scope;
  }

  get signal(): AbortSignal {
    return this.#scope.signal();
  }
  call(callable: Callable, input: unknown, options?: CallOptions): Promise<unknown> {
    return this.result(callable, input, options).then((result) => result.output);
  }
  result(callable: Callable, input: unknown, options: CallOptions = {}): ReturnType<typeof callCallable> {
    return callCallable(this.#driver, { scope: this.#scope, callable, input, options, openRun });
  }
  step(name: string, work: (host: StepHost) => unknown, options: StepOptions = {}): Promise<unknown> {
    const scope = this.#scope;
    const key = this.#driver.enter(scope, name, toStepVerb);
    if (key === undefined) return never;
    const { effect = "local", retry, timeoutMs } = options;
    return runStep(this.#driver, { key, scope, effect, retry, timeoutMs, work });
  }
  scope(name: string, body: (run: Run) => Promise<unknown>): Promise<unknown> {
    const driver = this.#driver;
    const scope = this.#scope;
    const key = driver.enter(scope, name, toScopeVerb);
    if (key === undefined) return never;
    return runScoped(driver, {
      key,
      scope,
      verb: "a scope",
      body: async (inner) => ({ output: await body(openRun(driver, inner)) }),
    }).then((acted) => acted.output);
  }
  all(branches: BranchMap, options: FanOut = {}): Promise<unknown> {
    return all(this.#driver, this.#scope, { branches, options });
  }
  map(items: readonly unknown[], body: MapBody, options: MapOptions = {}): Promise<unknown> {
    return map(this.#driver, this.#scope, { items, body, options });
  }
  race(branches: BranchMap, options: { readonly name?: string } = {}): Promise<unknown> {
    const scope = this.#scope;
    const key = this.#driver.enter(scope, options.name ?? "race", "run.race()");
    return key === undefined ? never : raceOf({ key, scope, branches: toBranches(this.#driver, branches) });
  }
  sleep(until: number | Date): Promise<void> {
    return sleep(this.#driver, this.#scope, until);
  }
  wait(
    wanted: SignalOf<unknown> | Topic,
    options: { readonly timeoutMs?: number; readonly key?: string } = {},
  ): Promise<unknown> {
    return typeof wanted === "object" && wanted.kind === "topic"
      ? waitForEvent(this.#driver, this.#scope, { topic: wanted, ...options })
      : waitForSignal(this.#driver, this.#scope, { signal: wanted, ...options });
  }
  emit(to: RunId, signal: SignalOf<unknown>, payload: unknown): Promise<void> {
    return emit(this.#driver, this.#scope, { to, signal, payload });
  }
  publish(topic: Topic, payload: unknown): ReturnType<typeof publish> {
    return publish(this.#driver, this.#scope, { topic, payload });
  }
  child(flow: Flow, input: unknown, options: Parameters<Run["child"]>[2] = {}): Promise<unknown> {
    return child(this.#driver, this.#scope, { flow, input, options });
  }
  agree(...request: Parameters<Run["agree"]>): ReturnType<Run["agree"]> {
    return this.#driver.host.teams.agree(this.#asRun(), ...request);
  }
  review(...request: Parameters<Run["review"]>): ReturnType<Run["review"]> {
    return this.#driver.host.teams.review(this.#asRun(), ...request);
  }
  ask(question: string, options: AskOptions<unknown>): ReturnType<typeof askPerson> {
    return askPerson(this.#driver, this.#scope, { question, options });
  }
  approve(what: string, options: ApproveOptions = {}): ReturnType<typeof askForYes> {
    return askForYes(this.#driver, this.#scope, { what, options });
  }
  document(type: DocumentType, key: string): ReturnType<typeof openDocument> {
    return openDocument(this.#driver, this.#scope, { type, key });
  }
  transact(
    body: (transaction: Transaction) => Promise<unknown>,
    options: { readonly name?: string } = {},
  ): Promise<unknown> {
    return transact(this.#driver, this.#scope, { name: options.name ?? "transact", body, openRun });
  }
  directive(): ReturnType<typeof drawDirective> {
    return drawDirective(this.#driver, this.#scope);
  }
  note(text: string, data?: unknown): void {
    writeNote(this.#driver, this.#scope, { text, data });
  }
  record(kind: RecordKind, body: BodyOf<RecordKind>): StepKey {
    return writeRecord(this.#driver, this.#scope, { kind, body });
  }
  now(): number {
    return drawNow(this.#driver, this.#scope);
  }
  random(): number {
    return drawRandom(this.#driver, this.#scope);
  }
  uuid(): string {
    return drawUuid(this.#driver, this.#scope);
  }
  patched(id: string): boolean {
    return isPatched(this.#driver, this.#scope, id);
  }

  #asRun(): Run {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as in openRun
    return this as unknown as Run;
  }
}

function toBranches(driver: Driver, branches: BranchMap): readonly Branch[] {
  return Object.entries(branches).map(([label, body]) => ({ label, start: (scope) => body(openRun(driver, scope)) }));
}

async function all(
  driver: Driver,
  scope: Scope,
  group: { readonly branches: BranchMap; readonly options: FanOut },
): Promise<unknown> {
  const { options } = group;
  const key = driver.enter(scope, options.name ?? "all", "run.all()");
  if (key === undefined) return never;
  const branches = toBranches(driver, group.branches);
  const need = options.need ?? "all";
  const outcomes = await fanOut(driver, {
    key,
    scope,
    need,
    siblings: options.siblings ?? "cancel",
    concurrency: Number.POSITIVE_INFINITY,
    branches,
  });
  return Object.fromEntries(
    branches.map((branch, index) => [branch.label, need === "all" ? valueOf(outcomes[index]) : outcomes[index]]),
  );
}

function valueOf(outcome: Outcome<unknown> | undefined): unknown {
  return outcome?.kind === "done" ? outcome.value : undefined;
}

type MapBody = (run: Run, item: unknown, index: number) => Promise<unknown>;
type MapOptions = FanOut & { readonly concurrency?: number };

async function map(
  driver: Driver,
  scope: Scope,
  group: { readonly items: readonly unknown[]; readonly body: MapBody; readonly options: MapOptions },
): Promise<Joined<unknown>> {
  const { options } = group;
  const key = driver.enter(scope, options.name ?? "map", "run.map()");
  if (key === undefined) return never;
  const branches = group.items.map((item, index): Branch => ({
    label: String(index),
    start: (inner) => group.body(openRun(driver, inner), item, index),
  }));
  const concurrency = options.concurrency ?? Number.POSITIVE_INFINITY;
  if (!(concurrency >= 1))
    throw new TuttiError("INPUT_INVALID", `${key}: a concurrency of ${concurrency} would never start anything`, {
      hint: "Use 1 or more.",
    });
  const outcomes = await fanOut(driver, {
    key,
    scope,
    need: options.need ?? "all",
    siblings: options.siblings ?? "cancel",
    concurrency,
    branches,
  });
  const values = outcomes.flatMap((outcome) => (outcome.kind === "done" ? [outcome.value] : []));
  return Object.assign(values, { outcomes });
}

interface ChildCall {
  readonly flow: Flow;
  readonly input: unknown;
  readonly options: NonNullable<Parameters<Run["child"]>[2]>;
}

async function child(driver: Driver, scope: Scope, request: ChildCall): Promise<unknown> {
  const { flow, options } = request;
  const key = driver.enter(scope, options.name ?? flow.name, `run.child(${flow.name})`);
  if (key === undefined) return never;
  const input = await parseWith(flow.input, request.input, {
    code: "INPUT_INVALID",
    what: `the input of ${flow.name}`,
  });
  const called = {
    call: flow.name,
    digest: digestOfChild(flow.name, input),
    input: toStoredValue("input", input, `the input of ${flow.name}`),
    uses: driver.usedBy(request.input),
    labels: labelsAt(scope),
  };
  const onParentEnd = options.onParentEnd ?? "cancel";
  return startChild(driver, { key, scope, flow, called, onParentEnd, budget: undefined });
}
