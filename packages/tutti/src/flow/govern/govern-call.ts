import { TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import type { ApprovalRecord } from "../../contracts/approval.ts";
import type { Tool } from "../../contracts/callable.ts";
import { toContract } from "../../contracts/contract.ts";
import type { StaleRead } from "../../contracts/document.ts";
import { toPolicyId, type Policy, type PolicyVerdict } from "../../contracts/policy.ts";
import { parseWith } from "../../contracts/schema.ts";
import type { ApprovalChange } from "../../ledger/ledger.ts";
import { toDirectiveChanged } from "../directives.ts";
import type { Driver } from "../driver.ts";
import { digestOf, effectKeyOf } from "../effect-key.ts";
import { toAccepted, type Labels } from "../labels.ts";
import { toStoredValue } from "../stored-value.ts";
import { toActionPackage } from "./action-package.ts";
import { toStages } from "./approval-stages.ts";
import type { Asked, Obtained } from "./asking.ts";
import { toAutonomy, toShadowed, toShadowEntry } from "./autonomy.ts";
import type { GovernedCall } from "./governed-call.ts";
import { refuseUngranted } from "./grants.ts";
import { obtainApproval, toDirectiveVersion, toEndEntry } from "./obtain-approval.ts";
import { decideDeed, toDecisionEntry, toDenial, type Decision, type Deed } from "./policy-decision.ts";

/** What a call is allowed to do: what it asked for, or what a person made of it. */
export interface Way extends Pick<GovernedCall, "input" | "effect" | "called"> {
  /** Of the input that it is made with; that of the code's own stands in `called`. */
  readonly digest: string;
  /** What allowed it, as long as it is not written down; whoever writes takes it away. */
  allowed: Decision | undefined;
  /** The yes that it uses, and what that must have been given for. */
  readonly approval:
    | { readonly id: ApprovalRecord["id"]; readonly binding: () => ApprovalRecord["binding"] }
    | undefined;
}

export interface Passage {
  go(way: Way): void;
  refuse(error: TuttiError): void;
  stale(documents: readonly StaleRead[]): void;
}

/**
 * The one place where grants and the policy stand in front of a call of a tool: allowed, refused, or asked of people first. Nothing of the call has
 * happened before, and a call whose intent is in the ledger has passed here already.
 */
export function governCall(driver: Driver, call: GovernedCall, passage: Passage): void {
  if (canLose(driver, call)) whenCaughtUp(driver, call, () => decideCall(driver, call, passage));
  else decideCall(driver, call, passage);
}

function decideCall(driver: Driver, call: GovernedCall, passage: Passage): void {
  const { policy } = driver.host;
  const ungranted = refuseUngranted(driver, call);
  if (ungranted !== undefined) passage.refuse(ungranted);
  else if (policy !== undefined) govern(driver, { policy, call, passage });
  else if (isShadow(driver, call)) shadow(driver, call, passage);
  else passage.go(toWay(call, undefined, undefined));
}

/** What has happened meanwhile may have taken from the agent what it was granted. */
function canLose({ host }: Driver, { tool, scope }: GovernedCall): boolean {
  return scope.actor !== undefined && isEffect(tool) && host.autonomy.isCertified(scope.actor);
}

function whenCaughtUp(driver: Driver, call: GovernedCall, go: () => void): void {
  driver.begin();
  driver.host.autonomy
    .catchUp()
    .then(() => {
      if (!driver.stopped && !driver.halted && !call.pending.over) go();
    })
    .catch((error: unknown) => driver.park(toBug(call, error), call.key))
    .finally(() => driver.finish());
}

function isShadow(driver: Driver, call: GovernedCall): boolean {
  const { actor } = call.scope;
  if (actor === undefined || !isEffect(call.tool)) return false;
  const { tool, called } = call;
  return (
    toAutonomy(driver, call.scope, {
      agent: actor,
      resource: toResource(tool, called.labels),
      labels: called.labels,
    }) === 0
  );
}

/** Written down as it would have been intended, and told to the agent; nothing happens. */
function shadow(driver: Driver, call: GovernedCall, passage: Passage): void {
  void driver.append(toShadowEntry(call));
  passage.refuse(toShadowed(call));
}

interface Governing {
  readonly policy: Policy;
  readonly call: GovernedCall;
  readonly passage: Passage;
}

function govern(driver: Driver, governing: Governing): void {
  const { policy, call, passage } = governing;
  const decision = decideDeed(driver, policy, toDeed(call));
  const { verdict } = decision;
  if (verdict.kind !== "deny" && isShadow(driver, call)) {
    void driver.append(toDecisionEntry(decision));
    shadow(driver, call, passage);
    return;
  }
  switch (verdict.kind) {
    case "allow":
      // What changes nothing leaves no trace of being allowed.
      passage.go(toWay(call, isEffect(call.tool) ? decision : undefined, undefined));
      return;
    case "deny":
      void driver.append(toDecisionEntry(decision));
      passage.refuse(toDenial(call.tool.name, verdict));
      return;
    case "needs":
      ask(driver, governing, { ...decision, verdict });
  }
}

type Needs = PolicyVerdict & { readonly kind: "needs" };

function ask(driver: Driver, governing: Governing, decision: Decision & { readonly verdict: Needs }): void {
  const { policy, call, passage } = governing;
  const { verdict } = decision;
  const stages = toStages(findLadder(driver, call.tool, verdict), canBeUndone(call.tool));
  const toAskedOf = (action: GovernedCall, needs: Needs): Asked => ({
    about: toSentence(action),
    binding: toBinding(driver, policy, action),
    needs: needs.approvals,
    toPackage: ({ dueAt }) =>
      toActionPackage(driver, action, {
        verdict: needs,
        stages,
        dueAt,
        summary: toSentence(action),
        askedBy: toAsker(action, driver),
        binding: toBinding(driver, policy, action),
      }),
  });
  const edit = async (input: unknown): Promise<Asked> => {
    const edited = await toEdited(driver, call, input);
    const decided = decideDeed(driver, policy, toDeed(edited)).verdict;
    if (decided.kind === "deny") throw toDenial(call.tool.name, decided);
    return toAskedOf(edited, decided.kind === "needs" ? decided : { ...verdict, approvals: [] });
  };
  const asked = toAskedOf(call, verdict);
  const { binding } = asked;
  const onObtained = (obtained: Obtained): void => {
    if (obtained.kind === "refused") passage.refuse(obtained.error);
    else if (obtained.kind === "stale") passage.stale(obtained.documents);
    else if (obtained.kind === "outdated") decideUnderNewest(driver, governing);
    else
      void useGranted(driver, governing, obtained).catch((error: unknown) => driver.park(toBug(call, error), call.key));
  };
  obtainApproval(
    driver,
    {
      ...asked,
      key: call.key,
      pending: call.pending,
      kind: "action",
      names: [`tool/${call.tool.name}`],
      labels: call.called.labels,
      stages,
      before: [toDecisionEntry(decision)],
      reads: toReads(driver, call),
      isOutdated: () => toDirectiveVersion(driver) !== binding["directive"],
      ...(isEffect(call.tool) ? { edit } : {}),
    },
    onObtained,
  );
}

/** A person gave another directive while others were asked. What an agent wanted under the older one is not asked again. */
function decideUnderNewest(driver: Driver, governing: Governing): void {
  const { call, passage } = governing;
  const { directiveInUse } = driver;
  if (directiveInUse?.isBehind(call.scope) !== true) govern(driver, governing);
  else passage.refuse(toDirectiveChanged(`${call.tool.name} was not called`, directiveInUse.newest));
}

type Granted = Obtained & { readonly kind: "granted" };

/** After the yes the policy is asked again, with those who gave it: what it now says is what counts. */
async function useGranted(driver: Driver, governing: Governing, granted: Granted): Promise<void> {
  const { policy, passage } = governing;
  driver.begin();
  try {
    const { approval } = granted;
    const call = granted.isEdited ? await toEdited(driver, governing.call, granted.answer) : governing.call;
    if (canLose(driver, call)) await driver.host.autonomy.catchUp();
    if (driver.stopped || driver.halted || call.pending.over) return;
    const decision = decideDeed(driver, policy, { ...toDeed(call), votes: approval.votes });
    const { verdict } = decision;
    if (verdict.kind === "deny") {
      void driver.append(toDecisionEntry(decision));
      passage.refuse(toDenial(call.tool.name, verdict));
      return;
    }
    if (isShadow(driver, call)) {
      void driver.append(toDecisionEntry(decision));
      shadow(driver, call, passage);
      return;
    }
    // It may want more now than people were asked for: then they are asked for that.
    if (verdict.kind === "needs" && toCanonicalJson(verdict.approvals) !== toCanonicalJson(approval.needs)) {
      await driver.append(
        toEndEntry({ id: approval.id, step: call.key }, "superseded", "the policy asks for others now"),
      );
      govern(driver, governing);
      return;
    }
    const binding = (): ApprovalRecord["binding"] => toBinding(driver, policy, call);
    const ungranted = refuseUngranted(driver, call); // people may have taken longer than the grant lasts
    if (ungranted !== undefined) passage.refuse(ungranted);
    else passage.go(toWay(call, decision, { id: approval.id, binding }));
  } finally {
    driver.finish();
  }
}

function toWay({ input, effect, called }: GovernedCall, allowed: Way["allowed"], approval: Way["approval"]): Way {
  return { input, effect, called, digest: approval === undefined ? called.digest : digestOf(input), allowed, approval };
}

/** What an entry does to the yes that it is begun on. */
export function toUse(way: Way | undefined, step: GovernedCall["key"]): { readonly approval?: ApprovalChange } {
  if (way?.approval === undefined) return {};
  const { id, binding } = way.approval;
  return { approval: { kind: "use", id, step, binding: binding() } };
}

/** The action as a person changed it. @throws INPUT_INVALID */
async function toEdited(driver: Driver, call: GovernedCall, given: unknown): Promise<GovernedCall> {
  const { tool, called } = call;
  const what = `the changed input of ${tool.name}`;
  const input = await parseWith(tool.input, given, { code: "INPUT_INVALID", what });
  const place = { lineage: driver.lineage, step: call.key, digest: digestOf(input) };
  const effect = effectKeyOf(tool, input, place);
  return { ...call, input, effect, called: { ...called, input: toStoredValue("input", input, what) } };
}

function toDeed({ tool, key, scope, called }: GovernedCall): Deed {
  const { labels } = called;
  const resource = toResource(tool, labels);
  const costUsd = tool.guarantees?.costUsd;
  return { key, scope, action: "call-tool", resource, input: called.input, costUsd, labels };
}

const resourceByTool = new WeakMap<Tool, Deed["resource"]>();

function toResource(tool: Tool, labels: Labels): Deed["resource"] {
  let known = resourceByTool.get(tool);
  if (known === undefined) resourceByTool.set(tool, (known = describeTool(tool)));
  return labels.length === 0 ? known : { ...known, accepts: toAccepted(labels, tool) };
}

function describeTool(tool: Tool): Deed["resource"] {
  const { name, effect, dataIn = [], dataOut = [], trust } = tool;
  const dataClasses = [...new Set([...dataIn, ...dataOut, ...(trust === undefined ? [] : [trust])])];
  return Object.freeze({
    kind: "tool",
    name,
    effect,
    reversible: canBeUndone(tool),
    ...(dataClasses.length === 0 ? {} : { dataClasses: Object.freeze(dataClasses) }),
  });
}

function isEffect({ effect }: Tool): boolean {
  return effect === "idempotent" || effect === "once";
}

function canBeUndone(tool: Tool): boolean {
  return !isEffect(tool) || tool.undo !== undefined;
}

/** What a yes to this call is bound to, part by part. */
function toBinding(driver: Driver, policy: Policy, call: GovernedCall): ApprovalRecord["binding"] {
  const { tool, input, effect, scope } = call;
  const { actor: agent } = scope;
  const reads = toReads(driver, call);
  const { flow, version } = driver.history.started;
  return {
    agent: agent === undefined ? "" : `${agent.name}@${agent.version}`,
    tool: sha256(toCanonicalJson(toContract(tool))),
    input: digestOf(input),
    effect,
    flow: `${flow}@${version}`,
    policy: toPolicyId(policy),
    ...(call.called.labels.length === 0 ? {} : { labels: [...call.called.labels].toSorted().join(" ") }),
    directive: toDirectiveVersion(driver),
    reads: reads === undefined ? "" : sha256(toCanonicalJson(Object.fromEntries(reads))),
  };
}

function toReads(
  driver: Driver,
  { scope }: GovernedCall,
): ReturnType<NonNullable<Driver["documentsInUse"]>["reliedAt"]> | undefined {
  const relied = driver.documentsInUse?.reliedAt(scope);
  return relied === undefined || relied.size === 0 ? undefined : relied;
}

function findLadder(
  { host }: Driver,
  tool: Tool,
  { rules }: Needs,
): Driver["host"]["approvals"]["ladders"][string] | undefined {
  const { ladders } = host.approvals;
  const names = [`tool/${tool.name}`, ...rules.map((rule) => `rule/${rule}`), "*"];
  const name = names.find((each) => Object.hasOwn(ladders, each));
  return name === undefined ? undefined : ladders[name];
}

const inputCharactersMax = 200;

function toSentence({ tool, called }: GovernedCall): string {
  const input = called.input.json ?? "";
  const shown = input.length > inputCharactersMax ? `${input.slice(0, inputCharactersMax)}…` : input;
  return `${tool.name}: ${tool.does} With ${shown}`;
}

function toAsker({ scope }: GovernedCall, { run }: Driver): string {
  return scope.actor === undefined ? `run ${run}` : `agent ${scope.actor.name}@${scope.actor.version}`;
}

function toBug({ key }: GovernedCall, error: unknown): TuttiError {
  return error instanceof TuttiError
    ? error
    : new TuttiError("BUG", `${key} could not use its approval`, { cause: error });
}
