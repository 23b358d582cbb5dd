import { readAutonomy } from "../../engine/oversight/open-oversight.ts";
import type { AutonomyLine } from "../../engine/oversight/oversight.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { loadDeciders } from "../load-config.ts";
import { say, sayJson, tell } from "../output.ts";
import { withSteering } from "../reach-engine.ts";
import { readPerson, readReason } from "../steering-words.ts";
import { toPlainLine } from "../terminal-text.ts";

const verbs = ["grant", "withdraw", "cap"] as const;

/** `tutti autonomy`: what agents may do by themselves. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const first = call.optional("agent|grant|withdraw|cap");
  const verb = verbs.find((each) => each === first);
  if (verb !== undefined) await change(call, verb);
  else await show(call, first);
  return exitCodes.done;
}

async function show(call: CommandCall, agent: string | undefined): Promise<void> {
  const lines = await withReader(toLedgerPath(call), (ledger) => readAutonomy(ledger, agent));
  for (const line of lines) {
    if (call.flag("json")) sayJson(line);
    else say(toPlainLine(toLine(line)));
  }
  if (!call.flag("json") && lines.length === 0) tell("Nothing was granted, and nothing is known of any agent.");
}

function toLine({ agent, version, action, level, until, evidence, proposal }: AutonomyLine): string {
  const { decided, agreed, lower } = evidence;
  const ends = until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
  const cases =
    decided === 0 ? "" : `, people agreed in ${agreed} of ${decided} cases (at least ${(lower * 100).toFixed(0)} %)`;
  const waits = proposal === undefined ? "" : `, more is proposed: ${proposal}`;
  return `${agent}@${version}  ${action}  level ${level}${ends}${cases}${waits}`;
}

async function change(call: CommandCall, verb: (typeof verbs)[number]): Promise<void> {
  const whom = call.optional("agent|tenant");
  const level = Number(call.text("level") ?? Number.NaN);
  const action = call.text("for");
  if (whom === undefined || Number.isNaN(level) || (verb !== "cap" && action === undefined))
    throw toUsage(
      `${verb} needs ${verb === "cap" ? "a tenant and a level" : "an agent, actions and a level"}`,
      verb === "cap" ? "tutti autonomy cap acme --level 3" : `tutti autonomy ${verb} writer@2 --for tool/pay --level 3`,
    );
  const said = { level, by: readPerson(call), ...readReason(call) };
  await withSteering(
    toLedgerPath(call),
    async (steering) => {
      if (verb === "cap") await steering.send("cap", { tenant: whom, ...said });
      else if (verb === "grant")
        await steering.send("grant", { agent: whom, action: action ?? "", ...said, ...readUntil(call) });
      else
        await steering.send("withdraw", {
          agent: whom,
          action: action ?? "",
          ...said,
          reason: said.reason ?? "a person decided so",
        });
      if (call.flag("json")) sayJson({ [verb === "cap" ? "tenant" : "agent"]: whom, action, level, recorded: true });
      else
        say(
          toPlainLine(
            `${whom} has ${verb === "cap" ? "at most " : ""}level ${level}${action === undefined ? "" : ` for ${action}`} from now on`,
          ),
        );
    },
    await loadDeciders(),
  );
}

function readUntil(call: CommandCall): { readonly until?: number } {
  const typed = call.text("until");
  if (typed === undefined) return {};
  const until = Date.parse(typed);
  if (Number.isNaN(until)) throw toUsage(`"${typed}" is no date`, "--until 2027-03-01");
  return { until };
}
