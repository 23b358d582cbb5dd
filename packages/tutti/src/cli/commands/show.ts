import { systemClock } from "../../base/clock.ts";
import { fromStoredError } from "../../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import { describeFreeze, toFreezeName, toFreezeNames } from "../../contracts/freeze.ts";
import { isOver, type RunRecord } from "../../contracts/run-record.ts";
import { readFreezes } from "../../engine/freezes.ts";
import { toRunTree } from "../../insight/next-run-tree.ts";
import { toPreview } from "../../insight/preview.ts";
import type { RunTree } from "../../insight/run-tree.ts";
import { toActing, type Acting } from "../../insight/who-acted.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { askWaits } from "../ask-engine.ts";
import type { CommandCall } from "../command.ts";
import { toEntryLine } from "../entry-line.ts";
import { toErrorText } from "../error-text.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, quote, toLedgerOption, toLedgerPath, withReader } from "../ledger-file.ts";
import { put, say, sayJson, stdoutColumns, stdoutPaint, toResultText } from "../output.ts";
import { renderTree } from "../render-tree.ts";
import { cutToColumns, takesColor, toElapsed, toPlainLine } from "../terminal-text.ts";

const rowsMax = 1_000;

/** `tutti show`: a run as a tree, with its result; or its entries. */
export function run(call: CommandCall): Promise<ExitCode> {
  return withReader(toLedgerPath(call), async (ledger) => {
    const record = await findNamedRun(ledger, call.operand("run"));
    const entries = await ledger.read(record.id);
    if (call.flag("entries")) showEntries(call, entries);
    else await showRun(call, ledger, { record, entries, tree: toRunTree(entries) });
    return exitCodes.done;
  });
}

function showEntries(call: CommandCall, entries: readonly LedgerEntry[]): void {
  const start = entries[0]?.at ?? 0;
  for (const entry of entries) {
    if (call.flag("json")) {
      say(toEntryLine(entry));
      continue;
    }
    const head = `${String(entry.seq).padStart(5)}  ${toElapsed(entry.at - start).padStart(7)}  ${entry.kind.padEnd(18)}`;
    const body = Object.entries(bodyOf(entry, entry.kind)).map(([name, value]) => `${name}=${toPreview(value)}`);
    say(cutToColumns(toPlainLine(`${head}  ${entry.key}  ${body.join(" ")}`), stdoutColumns()));
  }
}

interface Shown {
  readonly record: RunRecord;
  readonly entries: readonly LedgerEntry[];
  readonly tree: RunTree;
}

async function showRun(call: CommandCall, ledger: Ledger, { record, entries, tree }: Shown): Promise<void> {
  const output = await readRunOutput(ledger, entries);
  const waits = isOver(record.status) ? {} : await askWaits(toLedgerPath(call), [record.id]);
  const waitsFor = waits[record.id];
  if (call.flag("json")) {
    sayJson({
      ...record,
      ...(output === undefined ? {} : { output }),
      ...(waitsFor === undefined ? {} : { waitsFor }),
      acting: toActing(entries),
      tree: { ...tree, signals: Object.fromEntries(tree.signals) },
    });
    return;
  }
  const ledgerOption = toLedgerOption(toLedgerPath(call));
  const frozen = isOver(record.status) ? undefined : await readFrozen(ledger, entries);
  const remark = frozen ?? toWaits(waitsFor) ?? toRemark(record, tree, ledgerOption);
  const view = { width: stdoutColumns(), height: rowsMax, color: takesColor(process.stdout), now: systemClock.now() };
  for (const line of renderTree(tree, { ...view, ...(remark === undefined ? {} : { remark }) })) say(line);
  if (tree.directives.length > 0) say("\nWhat people want:");
  for (const directive of tree.directives) say(toPlainLine(`  ${directive}`));
  for (const line of toActingLines(toActing(entries))) say(toPlainLine(line));
  if (output !== undefined) say(`\n${toResultText(output)}`);
  if (tree.phase.kind === "failed" || tree.phase.kind === "parked")
    put(`\n${toErrorText(fromStoredError(tree.phase.error), stdoutPaint())}`);
}

function toActingLines({ actsFor, through, agents, grants }: Acting): readonly string[] {
  const lines = [
    ...(actsFor === undefined ? [] : [`  for ${actsFor}`]),
    ...through.map((agent) => `  on behalf of ${agent}`),
    ...agents.map((agent) => `  ${agent}`),
    ...grants.map((grant) => `  ${grant}`),
  ];
  return lines.length === 0 ? [] : ["\nWho acted:", ...lines];
}

/** Why nothing of it is begun, if something that reaches all of it is frozen. */
async function readFrozen(ledger: Ledger, entries: readonly LedgerEntry[]): Promise<string | undefined> {
  const [first] = entries;
  if (first?.kind !== "run-started") return undefined;
  const names = new Set(toFreezeNames(first.run, bodyOf(first, first.kind)));
  const freeze = (await readFreezes(ledger)).find(({ target }) => names.has(toFreezeName(target)));
  return freeze === undefined ? undefined : describeFreeze(freeze);
}

/** What holds a run up that goes on by itself. */
function toWaits(limits: readonly string[] | undefined): string | undefined {
  return limits === undefined ? undefined : `waits for its turn at ${limits.join(", ")}`;
}

/** What the run needs from a person. */
function toRemark(record: RunRecord, tree: RunTree, ledger: string): string | undefined {
  switch (record.status) {
    case "waiting": {
      const asked = findAsked(tree);
      if (asked !== undefined) return `waits for people: ${toPlainLine(asked)} (tutti inbox${ledger})`;
      return record.wakeAt === undefined
        ? "waits for a signal or another run"
        : `waits until ${new Date(record.wakeAt).toISOString()}`;
    }
    case "paused":
    case "parked":
      return `go on with: tutti resume ${quote(record.id)} <file>${ledger}`;
    case "in-doubt": {
      const doubtful = findDoubtful(tree);
      return doubtful === undefined
        ? undefined
        : `did it happen? tutti settle ${quote(doubtful)} done|not-done${ledger}`;
    }
    default:
      return undefined;
  }
}

/** What a step of it waits for people to say. */
function findAsked(tree: RunTree): string | undefined {
  const open = [tree.root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.state.kind === "waiting" && node.state.for === "person") return node.remark ?? node.path;
    open.push(...node.children.toReversed());
  }
  return undefined;
}

function findDoubtful(tree: RunTree): string | undefined {
  const open = [tree.root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.state.kind === "in-doubt") return node.effect;
    open.push(...node.children.toReversed());
  }
  return undefined;
}

async function readRunOutput(ledger: Ledger, entries: readonly LedgerEntry[]): Promise<unknown> {
  const last = entries.findLast((entry) => entry.kind === "run-done");
  if (last === undefined) return undefined;
  const { out, outRef } = bodyOf(last, "run-done");
  const content = outRef === undefined ? undefined : await ledger.readBlob(outRef.hash);
  return content === undefined ? out : JSON.parse(content);
}
