import { reasonCodes } from "../../contracts/autonomy.ts";
import type { Said } from "../../engine/inbox.ts";
import { readTypedId } from "../approval-text.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath } from "../ledger-file.ts";
import { loadDeciders } from "../load-config.ts";
import { withSteering } from "../reach-engine.ts";
import { readValue } from "../read-value.ts";
import { confirm, readPerson } from "../steering-words.ts";

/** `tutti approve`, `reject`, `edit`, `delegate` and `answer`: what a person says to what they were asked. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const takesMany = call.spec.operands.at(-1)?.isList === true;
  const typed = takesMany ? call.operands("approval") : [call.operand("approval")];
  const seen = typed.map(readSeen);
  const by = readPerson(call);
  const said = await readSaid(call);
  const votes = seen.map(({ id, saw }) => ({ approval: id, vote: { by, saw, ...said } }));
  refuseTwice(seen.map(({ id }) => id));
  await withSteering(
    path,
    async (steering) => {
      const { decided } = await steering.send("decide", { votes });
      for (const { id, run: asking, state } of decided)
        confirm(call, steering, { run: asking, text: `${id} has the word of ${by}; it is ${state}` });
    },
    await loadDeciders(),
  );
  return exitCodes.done;
}

function readSeen(typed: string): { readonly id: string; readonly saw: string } {
  const { id, saw } = readTypedId(typed);
  if (saw !== undefined && saw !== "") return { id, saw };
  throw toUsage(`${id} alone does not say what you have looked at`, `tutti inbox ${id} shows it, with what to type`);
}

function refuseTwice(ids: readonly string[]): void {
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw toUsage(`${twice} is named twice`, "name each approval once");
}

async function readSaid(call: CommandCall): Promise<Said> {
  const { name } = call.spec;
  switch (name) {
    case "approve": {
      const note = call.text("note");
      return { verdict: "approve", ...(note === undefined ? {} : { note }) };
    }
    case "reject": {
      const reason = call.text("reason");
      if (reason === undefined) throw toUsage("a no needs a reason", "--reason 'ask her first'");
      return { ...readCode(call), verdict: "reject", reason };
    }
    case "edit": {
      const input = call.text("input");
      if (input === undefined)
        throw toUsage("an edit needs the input that shall be used", "--input '<json>' or --input @<file>");
      const note = call.text("note");
      const why = { ...readCode(call), ...(note === undefined ? {} : { note }) };
      return { ...why, verdict: "edit", input: await readValue(input, "--input") };
    }
    case "delegate":
      return { verdict: "delegate", to: call.operand("person") };
    default:
      return { verdict: "answer", answer: await readValue(call.operand("json"), "the answer") };
  }
}

function readCode(call: CommandCall): Pick<Said, "code"> {
  const typed = call.text("code");
  if (typed === undefined) return {};
  const code = reasonCodes.find((each) => each === typed);
  if (code === undefined) throw toUsage(`"${typed}" is no reason`, `--code ${reasonCodes.join("|")}`);
  return { code };
}
