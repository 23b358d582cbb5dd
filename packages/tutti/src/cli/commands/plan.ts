import { TuttiError } from "../../base/errors.ts";
import { toRunTree } from "../../insight/next-run-tree.ts";
import { toEditSignal } from "../../teams/plan/edits.ts";
import { readPlanEvents } from "../../teams/plan/plan-events.ts";
import { viewPlans, type PlanView, type TaskState } from "../../teams/plan/plan-view.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, stdoutPaint } from "../output.ts";
import { withSteering } from "../reach-engine.ts";
import { readValue } from "../read-value.ts";
import { confirm, readPerson } from "../steering-words.ts";
import { toPlainLine, type Paint } from "../terminal-text.ts";

/** `tutti plan`: the plans of a run with their tasks, or another version for one of them. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const typed = call.text("edit");
  const edited = typed === undefined ? undefined : await readValue(typed, "the plan");
  const found = await withReader(toLedgerPath(call), async (ledger) => {
    const record = await findNamedRun(ledger, call.operand("run"));
    const entries = await ledger.read(record.id);
    const events = await readPlanEvents(entries, (hash) => ledger.readBlob(hash));
    return { record, views: viewPlans(events, toRunTree(entries)) };
  });
  const { record } = found;
  const views = choosePlans(found.views, call);
  if (edited === undefined) {
    if (call.flag("json")) for (const view of views) sayJson(view);
    else showPlans(views, stdoutPaint());
    return exitCodes.done;
  }
  const running = views.filter(({ state }) => state === "running");
  const [plan] = running;
  if (plan === undefined || running.length > 1)
    throw toUsage(
      plan === undefined ? `no plan of ${record.id} is running` : `${running.length} plans of ${record.id} are running`,
      plan === undefined
        ? "A plan that is over can't be edited."
        : `Name one: ${running.map(({ name }) => name).join(", ")}`,
    );
  const why = call.text("why");
  const payload = { plan: edited, by: readPerson(call), ...(why === undefined ? {} : { why }) };
  await withSteering(toLedgerPath(call), async (steering) => {
    await steering.send("signal", { run: record.id, name: toEditSignal(plan.name), payload });
    confirm(call, steering, {
      run: record.id,
      text: `plan ${plan.name} of ${record.id} has the edit; tutti plan shows what came of it`,
    });
  });
  return exitCodes.done;
}

function choosePlans(views: readonly PlanView[], call: CommandCall): readonly PlanView[] {
  const named = call.optional("plan");
  const chosen = views.filter(({ name }) => named === undefined || name === named);
  if (chosen.length > 0) return chosen;
  const names = views.map(({ name }) => name).join(", ");
  throw new TuttiError("USAGE", `${call.operand("run")} has no plan${named === undefined ? "" : ` "${named}"`}`, {
    hint: names === "" ? "Plans are made by runPlan and by supervisors." : `It has: ${names}`,
  });
}

const marks: Readonly<Record<TaskState, string>> = {
  waiting: "○",
  running: "◐",
  "in-doubt": "?",
  done: "●",
  kept: "●",
  failed: "✗",
  skipped: "–",
  stopped: "–",
  undone: "↺",
  cancelled: "–",
};

function showPlans(views: readonly PlanView[], paint: Paint): void {
  for (const [place, view] of views.entries()) {
    if (place > 0) say("");
    say(toPlainLine(`plan ${view.name} (${view.state})${view.plan.goal === undefined ? "" : `: ${view.plan.goal}`}`));
    for (const { version, reason } of view.versions) say(paint("dim", toPlainLine(`  version ${version}: ${reason}`)));
    for (const refused of view.refused) say(paint("dim", toPlainLine(`  refused: ${refused}`)));
    const width = Math.max(...view.tasks.map(({ id }) => id.length));
    for (const { id, who, state, why } of view.tasks)
      say(
        toPlainLine(
          `  ${marks[state]} ${id.padEnd(width)}  ${state.padEnd(8)}  ${who}${why === undefined ? "" : `  (${why})`}`,
        ),
      );
  }
}
