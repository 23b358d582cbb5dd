import { describeThrown } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toVisibleText } from "../../base/visible-text.ts";
import type { ApprovalPackage, Said } from "../../contracts/approval-package.ts";
import type { ApprovalRecord, ApprovalStage } from "../../contracts/approval.ts";
import type { Tool } from "../../contracts/callable.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { PolicyVerdict } from "../../contracts/policy.ts";
import type { Driver } from "../driver.ts";
import { inTime } from "../in-time.ts";
import { riskAt } from "../labels.ts";
import { isUnder } from "../scope.ts";
import { describeStages } from "./approval-stages.ts";
import type { GovernedCall } from "./governed-call.ts";

/** What the engine knows of an action beside the call itself. */
export interface Told {
  readonly verdict: PolicyVerdict & { readonly kind: "needs" };
  readonly stages: readonly ApprovalStage[];
  readonly dueAt: number;
  readonly summary: string;
  readonly askedBy: string;
  readonly binding: ApprovalRecord["binding"];
}

/** A preview that takes longer is left out. */
const previewTimeoutMs = 10_000;
const previewCharactersMax = 20_000;
const inputCharactersMax = 20_000;
const wordsCharactersMax = 2_000;

/** What people are shown of a call, made from the call itself. */
export async function toActionPackage(driver: Driver, call: GovernedCall, told: Told): Promise<ApprovalPackage> {
  const { tool, called, key } = call;
  const entries = await driver.host.readEntries(driver.run);
  const words = findWords(entries, call);
  const preview = await readPreview(driver, call);
  const undoable = tool.undo !== undefined || tool.effect === "read" || tool.effect === "local";
  const cost = tool.guarantees?.costUsd;
  const { tenant } = driver.history.started;
  const text = `${tool.name} ${called.input.json ?? ""}`;
  const precedents = await driver.host.precedents({ tenant, text, tool: tool.name });
  return toVisible<ApprovalPackage>({
    kind: "action",
    summary: `${told.askedBy} wants to call ${told.summary}`,
    run: driver.run,
    step: key,
    askedBy: told.askedBy,
    action: {
      tool: tool.name,
      does: tool.does,
      input: cut(called.input.json ?? "", inputCharactersMax),
      ...preview,
      changes: describeChanges(tool),
      canBeUndone: undoable,
    },
    rules: told.verdict.rules,
    why: told.verdict.why,
    recommendation: words.recommendation ?? { by: "engine", text: "None: neither the agent nor the engine has one." },
    reasons: [{ by: "engine", text: told.verdict.why }, ...tellLabels(call), ...words.reasons],
    alternatives: [
      { by: "engine", text: "Do nothing: reject it, and it will not happen." },
      { by: "engine", text: `Edit it: let ${tool.name} be called with another input.` },
      ...words.alternatives,
    ],
    ...(words.confidence === undefined ? {} : { confidence: words.confidence }),
    evidence: called.uses.flatMap((step) => toEvidence(entries, step)),
    ...(precedents.length === 0 ? {} : { precedents }),
    ...(cost === undefined ? {} : { costUsd: cost }),
    risk: toRisk(tool, undoable),
    dueAt: told.dueAt,
    otherwise: describeOtherwise(told.stages),
    deciders: describeStages(told.verdict.approvals, told.stages),
    versions: told.binding,
  });
}

function describeChanges({ effect, writes = [], name }: Tool): string {
  if (effect === "read" || effect === "local") return `${name} changes nothing outside.`;
  const what = writes.length === 0 ? "something outside" : writes.join(", ");
  return `${name} changes ${what}${effect === "once" ? "; doing it twice would be doing two things" : ""}.`;
}

function toRisk({ effect }: Tool, undoable: boolean): ApprovalPackage["risk"] {
  if (effect === "read" || effect === "local") return { level: "low", why: "It changes nothing outside." };
  return undoable
    ? { level: "medium", why: "It changes something outside, and can be taken back." }
    : { level: "high", why: "It changes something outside, and can't be taken back." };
}

/** What it is given may carry, and what the detector makes of it. */
function tellLabels({ called, scope }: GovernedCall): readonly Said[] {
  if (called.labels.length === 0) return [];
  const risk = riskAt(scope);
  const signal = risk === 0 ? "" : ` Signs of injected instructions: ${risk} of 100, which proves nothing.`;
  return [{ by: "engine", text: `What it is given may carry: ${called.labels.join(", ")}.${signal}` }];
}

export function describeOtherwise(stages: readonly ApprovalStage[]): string {
  const proceeds = stages.some((stage) => stage.onTimeout === "proceed");
  return proceeds
    ? "If nobody decides in time, it goes on without a yes."
    : "If nobody decides in time, it will not happen.";
}

type Preview = Pick<NonNullable<ApprovalPackage["action"]>, "preview" | "previewProblem">;

/** As a read with a limit: what goes wrong in it is told, and no reason not to ask. */
async function readPreview(driver: Driver, { tool, input, scope }: GovernedCall): Promise<Preview> {
  if (tool.preview === undefined) return {};
  return inTime<Preview>(driver, previewTimeoutMs, {
    work: async (signal) => {
      try {
        const shown = await tool.preview?.(input, { signal: AbortSignal.any([signal, scope.signal()]) });
        if (shown === undefined) return {};
        if (typeof shown === "string") return { preview: cut(shown, previewCharactersMax) };
        const { before, after } = shown;
        return { preview: { before: cut(before, previewCharactersMax), after: cut(after, previewCharactersMax) } };
      } catch (error) {
        return { previewProblem: `its preview failed: ${describeThrown(error)}` };
      }
    },
    onLate: () => ({ previewProblem: `its preview took longer than ${previewTimeoutMs} ms` }),
  });
}

interface Words {
  readonly recommendation: Said | undefined;
  readonly reasons: readonly Said[];
  readonly alternatives: readonly Said[];
  readonly confidence: number | undefined;
}

/** What the agent has said about it, marked as its own words. */
function findWords(entries: readonly LedgerEntry[], { scope }: GovernedCall): Words {
  const none = { recommendation: undefined, reasons: [], alternatives: [], confidence: undefined };
  if (scope.actor === undefined) return none;
  const own = entries.filter((entry) => isUnder(entry.key, scope.path));
  const said = findLast(own, "step-done", ({ key }) => key.slice(scope.path.length).startsWith("/model"));
  const text = said === undefined ? undefined : readText(bodyOf(said, "step-done").out);
  const reasons: readonly Said[] = text === undefined ? [] : [{ by: "agent", text: cut(text, wordsCharactersMax) }];
  const made = findLast(own, "decision-made", () => true);
  if (made === undefined) return { ...none, reasons };
  const { about, chosen, why, alternatives = [], confidence } = bodyOf(made, "decision-made");
  return {
    recommendation: { by: "agent", text: cut(`${about}: ${chosen}`, wordsCharactersMax) },
    reasons: [{ by: "agent", text: cut(why, wordsCharactersMax) }, ...reasons],
    alternatives: alternatives.map((each) => ({
      by: "agent",
      text: cut(`${each.name}: ${each.why}`, wordsCharactersMax),
    })),
    confidence: confidence?.value,
  };
}

function findLast(
  entries: readonly LedgerEntry[],
  kind: LedgerEntry["kind"],
  fits: (entry: LedgerEntry) => boolean,
): LedgerEntry | undefined {
  return entries.findLast((entry) => entry.kind === kind && fits(entry));
}

function readText(out: unknown): string | undefined {
  if (typeof out !== "object" || out === null || !("text" in out)) return undefined;
  return typeof out.text === "string" && out.text.trim() !== "" ? out.text : undefined;
}

const evidenceCharactersMax = 500;

/** The steps whose results were handed in. */
function toEvidence(entries: readonly LedgerEntry[], step: string): ApprovalPackage["evidence"] {
  const entry = entries.findLast((each) => each.key === step);
  return entry === undefined
    ? []
    : [{ step, what: `${entry.kind} ${cut(entry.body, evidenceCharactersMax)}`, hash: sha256(entry.body) }];
}

function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}… (cut: ${text.length} characters)`;
}

/** Every text of a package, with what can't be seen written out. */
export function toVisible<Shown extends object>(shown: Shown): Shown {
  const visible: unknown = JSON.parse(JSON.stringify(shown), (_, value: unknown) =>
    typeof value === "string" ? toVisibleText(value) : value,
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same shape: only texts were changed
  return visible as Shown;
}
