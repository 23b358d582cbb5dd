import { readReviewReport } from "../../engine/oversight/reviews.ts";
import { readTypedId } from "../approval-text.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { loadDeciders } from "../load-config.ts";
import { say, sayJson, tell } from "../output.ts";
import { withSteering } from "../reach-engine.ts";
import { readPerson } from "../steering-words.ts";
import { toPlainLine } from "../terminal-text.ts";

/** `tutti review`: what people find in outputs. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const approval = call.optional("approval");
  if (approval !== undefined) await decide(call, approval);
  else if (call.text("share") !== undefined) await sample(call);
  else await report(call);
  return exitCodes.done;
}

async function decide(call: CommandCall, typed: string): Promise<void> {
  const { id, saw } = readTypedId(typed);
  const verdict = call.optional("good|defective");
  const defects = (call.text("defect") ?? "")
    .split(";")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  const fits = verdict === "defective" ? defects.length > 0 : verdict === "good" && defects.length === 0;
  if (saw === undefined || saw === "" || !fits)
    throw toUsage(
      "a review says what you have looked at, and whether it is good or what is wrong with it",
      "tutti review <id:saw> good, or: tutti review <id:saw> defective --defect '<what>'",
    );
  const answer = { isDefective: verdict === "defective", defects };
  await withSteering(
    toLedgerPath(call),
    async (steering) => {
      const vote = { by: readPerson(call), saw, verdict: "answer", answer } as const;
      const { decided } = await steering.send("decide", { votes: [{ approval: id, vote }] });
      if (call.flag("json")) sayJson({ id, ...answer, recorded: true });
      else say(toPlainLine(`${id} is reviewed as ${verdict}; it is ${decided[0]?.state}`));
    },
    await loadDeciders(),
  );
}

async function sample(call: CommandCall): Promise<void> {
  const share = Number(call.text("share"));
  const role = call.text("role");
  const request = { share, by: readPerson(call), ...(role === undefined ? {} : { role }) };
  await withSteering(
    toLedgerPath(call),
    async (steering) => {
      await steering.send("sample", request);
      if (call.flag("json")) sayJson({ ...request, recorded: true });
      else say(`At least ${toPercent(share)} of outputs are drawn from now on.`);
    },
    await loadDeciders(), // what has ended is drawn, and asked, under the project's policy
  );
}

async function report(call: CommandCall): Promise<void> {
  const found = await withReader(toLedgerPath(call), readReviewReport);
  if (call.flag("json")) sayJson(found ?? null);
  else if (found === undefined) tell("Nothing is drawn: tutti review --share 0.05");
  else {
    const { outputs, drawn, reviewed, pending, estimate, highest } = found;
    say(`${outputs} outputs, ${drawn} drawn, ${reviewed} reviewed, ${pending} not looked at`);
    say(`defective  ${toPercent(estimate.share)} (${toPercent(estimate.low)} to ${toPercent(estimate.high)})`);
    if (pending > 0) say(`at worst   ${toPercent(highest)}, if all that nobody has looked at is wrong`);
    for (const { run: id, defects } of found.defects) say(toPlainLine(`${id}  ${defects.join("; ")}`));
  }
}

function toPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
