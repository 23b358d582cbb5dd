import { TuttiError } from "../../base/errors.ts";
import type { Callable } from "../../contracts/run.ts";
import { checkPlanForm } from "../../teams/plan/check-plan.ts";
import { drawCallables } from "../../teams/plan/draw-callables.ts";
import { drawPlan } from "../../teams/plan/draw-plan.ts";
import { drawRun } from "../../teams/plan/draw-run.ts";
import { toDiagram, toMermaid, type Drawing } from "../../teams/plan/drawing.ts";
import { toRoster } from "../../teams/plan/roster.ts";
import { drawDiagram } from "../../tools/image/draw-diagram.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { loadFlows } from "../load-flows.ts";
import { say, tell } from "../output.ts";
import { readValue } from "../read-value.ts";

/** `tutti draw`: a picture of a plan before it runs, of what a file declares, or of what a run did. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const drawing = await draw(call);
  if (call.flag("svg")) {
    say(drawDiagram(toDiagram(drawing)).trimEnd());
    for (const remark of drawing.remarks) tell(remark);
  } else say(toMermaid(drawing).trimEnd());
  return exitCodes.done;
}

function draw(call: CommandCall): Promise<Drawing> {
  const named = call.text("run");
  const file = call.optional("file");
  if ((named === undefined) === (file === undefined))
    throw toUsage("draw what?", "Name a file, or a run: tutti draw plan.json, or tutti draw --run <run>");
  if (named !== undefined)
    return withReader(toLedgerPath(call), async (ledger) =>
      drawRun(await ledger.read((await findNamedRun(ledger, named)).id)),
    );
  return drawFile(file ?? "", call.optional("callables"));
}

async function drawFile(file: string, callablesFile: string | undefined): Promise<Drawing> {
  if (!file.endsWith(".json")) return drawCallables(await loadCallables(file), file);
  const checked = checkPlanForm(await readValue(`@${file}`, "the plan"));
  if (checked.kind === "unfit")
    throw new TuttiError(
      "PLAN_INVALID",
      `${file} holds no plan that can be drawn: ${checked.problems.map(({ what }) => what).join("; ")}`,
      { hint: "See docs/plans.md for a plan's form." },
    );
  return drawPlan(checked.plan, toRoster(callablesFile === undefined ? [] : await loadCallables(callablesFile)));
}

async function loadCallables(file: string): Promise<readonly Callable[]> {
  const { flows, agents, tools } = await loadFlows(file);
  return [...flows, ...agents, ...tools];
}
