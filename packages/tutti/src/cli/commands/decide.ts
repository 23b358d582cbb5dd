import { reasonCodes } from "../../contracts/autonomy.ts";
import { toApprovalId } from "../../contracts/ids.ts";
import type { PersonsVote } from "../../engine/inbox.ts";
import { readTypedId } from "../approval-text.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { loadConfig } from "../load-config.ts";
import { withSteering } from "../reach-engine.ts";
import { readValue } from "../read-value.ts";
import { confirm, readPerson } from "../steering-words.ts";

/** `tutti approve`, `reject`, `edit`, `delegate` and `answer`: what a person says to what they were asked. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const typed = call.operand("approval");
  const { id, saw } = readTypedId(typed);
  if (saw === undefined || saw === "")
    throw toUsage(`${id} alone does not say what you have looked at`, `tutti inbox ${id} shows it, with what to type`);
  const vote = await readVote(call, { by: readPerson(call), saw });
  const approval = await withReader(path, (ledger) => ledger.findApproval(toApprovalId(id)));
  // Where no engine runs, who people are is told by the project.
  const { config } = await loadConfig(".");
  const people = config.people === undefined ? {} : { people: config.people };
  await withSteering(
    path,
    async (steering) => {
      const { state } = await steering.send("decide", { id, vote });
      confirm(call, steering, { run: approval?.run ?? "", text: `${id} has the word of ${vote.by}; it is ${state}` });
    },
    people,
  );
  return exitCodes.done;
}

async function readVote(call: CommandCall, said: Pick<PersonsVote, "by" | "saw">): Promise<PersonsVote> {
  const { name } = call.spec;
  switch (name) {
    case "approve": {
      const note = call.text("note");
      return { ...said, verdict: "approve", ...(note === undefined ? {} : { note }) };
    }
    case "reject": {
      const reason = call.text("reason");
      if (reason === undefined) throw toUsage("a no needs a reason", "--reason 'ask her first'");
      return { ...said, ...readCode(call), verdict: "reject", reason };
    }
    case "edit": {
      const input = call.text("input");
      if (input === undefined)
        throw toUsage("an edit needs the input that shall be used", "--input '<json>' or --input @<file>");
      const note = call.text("note");
      const why = { ...readCode(call), ...(note === undefined ? {} : { note }) };
      return { ...said, ...why, verdict: "edit", input: await readValue(input, "--input") };
    }
    case "delegate":
      return { ...said, verdict: "delegate", to: call.operand("person") };
    default:
      return { ...said, verdict: "answer", answer: await readValue(call.operand("json"), "the answer") };
  }
}

function readCode(call: CommandCall): Pick<PersonsVote, "code"> {
  const typed = call.text("code");
  if (typed === undefined) return {};
  const code = reasonCodes.find((each) => each === typed);
  if (code === undefined) throw toUsage(`"${typed}" is no reason`, `--code ${reasonCodes.join("|")}`);
  return { code };
}
