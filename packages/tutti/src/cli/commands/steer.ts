import { amountShape } from "../../contracts/budget.ts";
import type { Directive } from "../../contracts/directive.ts";
import { toUndoables } from "../../flow/rollback.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, quote, toLedgerOption, toLedgerPath, withReader } from "../ledger-file.ts";
import { sayJson, tell } from "../output.ts";
import { withSteering } from "../reach-engine.ts";
import { readValue } from "../read-value.ts";
import { confirm, readPerson, readReason } from "../steering-words.ts";
import { toPlainLine } from "../terminal-text.ts";

/** `tutti steer`: gives a run, and everything below it, a person's directive. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const directive = await readDirective(call);
  const { id } = await withReader(path, (ledger) => findNamedRun(ledger, call.operand("run")));
  await withSteering(path, async (steering) => {
    const request = { run: id, directive, by: readPerson(call), ...readReason(call) };
    const { version, stopped, isWaiting } = await steering.send("steer", request);
    if (call.flag("json")) {
      sayJson({ run: id, recorded: true, driven: !isWaiting, version, stopped });
      return;
    }
    const what = version === 0 ? directive.kind : `${directive.kind} (version ${version})`;
    const questions =
      stopped === 1 ? "1 question to a model was stopped" : `${stopped} questions to models were stopped`;
    const text = `run ${id} has the directive ${what}${stopped === 0 ? "" : `; ${questions}`}`;
    confirm(
      call,
      { isDriven: !isWaiting || directive.kind === "pause" || directive.kind === "stop" },
      { run: id, text },
    );
  });
  if (directive.kind === "stop" && !call.flag("json")) await offerUndo(call, id);
  return exitCodes.done;
}

async function offerUndo(call: CommandCall, id: string): Promise<void> {
  const count = await withReader(toLedgerPath(call), async (ledger) => {
    const record = await findNamedRun(ledger, id);
    return toUndoables(await ledger.read(record.id), "").length;
  });
  if (count === 0) return;
  const ledger = toLedgerOption(toLedgerPath(call));
  const what = count === 1 ? "1 effect that it had" : `${count} effects that it had`;
  tell(toPlainLine(`What it did stays. To take back ${what}: tutti undo ${quote(id)} <file>${ledger}`));
}

const worded = ["goal", "constraint", "context"] as const;
const plain = ["pause", "resume", "stop"] as const;
const valued: ReadonlySet<string> = new Set([...worded, "budget", "autonomy", "edit"]);
const kinds = [...worded, "budget", "autonomy", "edit", ...plain, "take-over", "hand-back"];

/** @throws TuttiError USAGE unless it is one directive */
async function readDirective(call: CommandCall): Promise<Directive> {
  const given = kinds.filter((kind) => (valued.has(kind) ? call.text(kind) !== undefined : call.flag(kind)));
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    const what = kind === undefined ? "no directive was given" : `${given.length} directives were given`;
    throw toUsage(what, `Give one of --${kinds.join(", --")}.`);
  }
  return (await readValued(call, kind)) ?? readPlain(call, kind);
}

async function readValued(call: CommandCall, kind: string): Promise<Directive | undefined> {
  const typed = call.text(kind) ?? "";
  for (const word of worded) if (kind === word) return { kind: word, text: typed };
  if (kind === "autonomy") return { kind, level: Number(typed) };
  if (kind === "budget") return { kind, budget: amountShape(await readValue(typed, "the budget"), "the budget") };
  if (kind !== "edit") return undefined;
  const plan = call.text("plan");
  if (plan === undefined)
    throw toUsage("--edit needs the name of a plan", "Name it with --plan; `tutti plan` lists them.");
  return { kind: "plan-edit", plan, edit: await readValue(typed, "the plan") };
}

async function readPlain(call: CommandCall, kind: string): Promise<Directive> {
  for (const word of plain) if (kind === word) return { kind: word };
  const agent = call.text("agent");
  const whom = agent === undefined ? {} : { agent };
  if (kind === "take-over") return { kind, ...whom };
  const output = call.text("output");
  return {
    kind: "hand-back",
    ...whom,
    ...(output === undefined ? {} : { output: await readValue(output, "the result") }),
  };
}
