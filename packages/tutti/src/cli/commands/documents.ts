import { systemClock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import type { DocumentVersion } from "../../contracts/document.ts";
import { toDocumentId } from "../../contracts/ids.ts";
import { toPreview } from "../../insight/preview.ts";
import { readHistory } from "../../ledger/document-value.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, tell } from "../output.ts";
import { readCount } from "../read-value.ts";
import { toMoment, toPlainLine } from "../terminal-text.ts";

const limitDefault = 20;

/** `tutti documents`: every shared document, or the versions of one with who wrote them and what each one changed. */
export function run(call: CommandCall): Promise<ExitCode> {
  const limit = readCount(call.text("limit"), "limit") ?? limitDefault;
  const named = call.optional("document");
  return withReader(toLedgerPath(call), async (ledger) => {
    if (named === undefined) {
      const records = await ledger.listDocuments({ limit });
      if (records.length === 0 && !call.flag("json")) tell("No documents: no run has written one.");
      for (const record of records) {
        if (call.flag("json")) sayJson(record);
        else say(toPlainLine(`${record.document}  version ${record.version}`));
      }
      return exitCodes.done;
    }
    const versions = await readHistory(ledger, toDocumentId(named), { limit });
    if (versions.length === 0) throw toUnknown(named);
    for (const version of versions) {
      if (call.flag("json")) sayJson(version);
      else for (const line of toLines(version)) say(toPlainLine(line));
    }
    return exitCodes.done;
  });
}

function toUnknown(document: string): TuttiError {
  return new TuttiError("USAGE", `nobody has written a document ${JSON.stringify(document)}`, {
    hint: "Name its type and its key, for example stock/apples; `tutti documents` lists them.",
    facts: { document },
  });
}

function toLines({ version, value, run: writer, step, at, diff }: DocumentVersion): readonly string[] {
  const changes = diff.map(({ path, before, now }) => {
    const place = path === "" ? "" : `${path}: `;
    return `    ${place}${before === undefined ? "nothing" : toPreview(before)} → ${now === undefined ? "nothing" : toPreview(now)}`;
  });
  return [`version ${version}  ${toMoment(at, systemClock.now())}  ${writer}${step}  ${toPreview(value)}`, ...changes];
}
