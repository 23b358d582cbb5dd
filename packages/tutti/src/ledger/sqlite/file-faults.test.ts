import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from "node:fs";
import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";

import { expect, test } from "vitest";

import {
  codeOf,
  createSettableClock,
  keysOf,
  scanAll,
  startAndClaim,
  toNewRun,
  toStep,
} from "../../../../../test/ledger/ledger-fixture.ts";
import { useLedgerFolder } from "../../../../../test/ledger/ledger-folder.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toRunId, type RunId } from "../../contracts/ids.ts";
import { toUnknownRunError } from "../ledger-errors.ts";
import type { Claim, Ledger } from "../ledger.ts";
import { verifyLedger } from "../verify.ts";
import { openSqliteLedger } from "./sqlite-ledger.ts";

const here = useLedgerFolder();

/** Copies the files of a ledger that is open here, as a SIGKILL would leave them; by another process, which can't disturb SQLite's locks. */
function copyAsKilled(target: string, endings: readonly string[] = ["", "-wal", "-owner"]): void {
  for (const ending of endings) spawnSync("cp", [here.file + ending, target + ending]);
}

test("a folder is refused", async () => {
  expect(await here.refusal(here.folder)).toBe("LEDGER_UNWRITABLE");
  expect(await here.refusal("")).toBe("LEDGER_UNWRITABLE");
});

test("a file where a folder should be is refused", async () => {
  await writeFile(join(here.folder, "taken"), "");
  expect(await here.refusal(join(here.folder, "taken", "ledger.db"))).toBe("LEDGER_UNWRITABLE");
});

test("a file that is no database, and a database that is no ledger, are refused and stay as they are", async () => {
  await writeFile(here.file, "Dear diary, ".repeat(1_000));
  expect(await here.refusal()).toBe("LEDGER_UNWRITABLE");
  expect(readFileSync(here.file, "utf8")).toBe("Dear diary, ".repeat(1_000));
  await rm(here.file);
  here.edit("create table diary(line text)");
  const before = readFileSync(here.file);
  expect(await here.refusal()).toBe("LEDGER_UNWRITABLE");
  expect(await here.refusal(here.file, { readOnly: true })).toBe("LEDGER_UNWRITABLE");
  expect(readFileSync(here.file)).toEqual(before);
});

test("a missing file can't be opened for reading only", async () => {
  expect(await here.refusal(here.file, { readOnly: true })).toBe("LEDGER_UNWRITABLE");
  expect(await here.refusal(join(here.folder, "nowhere", "ledger.db"), { readOnly: true })).toBe("LEDGER_UNWRITABLE");
});

test("a ledger of a newer Tutti is left alone", async () => {
  await here.makeLedger();
  here.edit("update meta set value = '2' where name = 'format'");
  expect(await here.refusal()).toBe("LEDGER_TOO_NEW");
  expect(await here.refusal(here.file, { readOnly: true })).toBe("LEDGER_TOO_NEW");
});

test("an entry of a newer Tutti is not misread", async () => {
  await here.makeLedger();
  here.edit("update entry set version = 2 where lsn = 5");
  const ledger = await here.open();
  expect(await codeOf(scanAll(ledger))).toBe("LEDGER_TOO_NEW");
});

test("after a refusal the ledger is not left locked", async () => {
  await here.makeLedger();
  here.edit("update meta set value = '2' where name = 'format'");
  expect(await here.refusal()).toBe("LEDGER_TOO_NEW");
  here.edit("update meta set value = '1' where name = 'format'");
  expect(await here.refusal()).toBe("opened");
});

test.for([0, 100, 4_096, 8_192, 20_000])(
  "a file cut off after %i bytes is reported, and left as it is",
  async (size) => {
    await here.makeLedger(20);
    expect(statSync(here.file).size).toBeGreaterThan(20_480);
    truncateSync(here.file, size);
    expect(await here.refusal()).toBe("LEDGER_CORRUPT");
    expect(statSync(here.file).size).toBe(size); // no new ledger in its place
  },
);

test("a page of garbage is either reported or holds nothing: no wrong answer, no hang", async () => {
  await here.makeLedger(60); // tables without a row fill pages that hold nothing
  await copyFile(here.file, join(here.folder, "whole.db"));
  const whole = await snapshot(join(here.folder, "whole.db"));
  const pages = statSync(here.file).size / 4_096;
  const verdicts: string[] = [];
  for (let page = 0; page < pages; page++) {
    const copy = join(here.folder, `page-${page}.db`);
    await copyFile(here.file, copy);
    const descriptor = openSync(copy, "r+");
    writeSync(descriptor, Buffer.alloc(4_096, 0xa5), 0, 4_096, page * 4_096);
    closeSync(descriptor);
    const answer = await codeOf(snapshot(copy));
    verdicts.push(
      typeof answer === "string" ? answer : isDeepStrictEqual(answer, { resolved: whole }) ? "same" : "wrong",
    );
  }
  expect(new Set(verdicts)).toEqual(new Set(["LEDGER_CORRUPT", "LEDGER_UNWRITABLE", "same"]));
  expect(verdicts.filter((verdict) => verdict === "same").length).toBeLessThan(pages / 2);
  expect(verdicts[0]).toBe("LEDGER_UNWRITABLE"); // without its header it is no database
});

test.for([
  ["alone", false, ""],
  ["together", true, ""],
  ["together with one that can't be", true, "update entry set kind = 'odd' where run = 5 and seq = 4"],
] as const)(
  "an entry edited or deleted by hand keeps its run from being driven on, and no other, read %s",
  verifies("G12"),
  async ([, together, edit]) => {
    await here.makeLedger(5);
    here.edit(edit);
    here.edit(`update entry set body = '{"out":"forged"}' where run = 1 and seq = 4`);
    here.edit("delete from entry where run = 2 and seq = 4");
    here.edit("delete from run where name = 'run-3'");
    const ledger = await here.open();
    const runs = ["run-0", "run-1", "run-2", "run-3"].map(toRunId);
    const claim = together ? await claimTogether(ledger, runs) : (run: RunId) => ledger.claim(run);
    await expect(claim(toRunId("run-0"))).rejects.toMatchObject({
      code: "LEDGER_CORRUPT",
      facts: { run: "run-0", seq: 4 },
    });
    await expect(claim(toRunId("run-1"))).rejects.toMatchObject({ code: "LEDGER_CORRUPT", hint: expect.any(String) });
    expect(await codeOf(claim(toRunId("run-3")))).toBe("RUN_UNKNOWN");
    const { log } = await claim(toRunId("run-2"));
    expect(await log.append(toStep("on"))).toMatchObject({ kind: "recorded", seq: 12 });
  },
);

/** Claims them all at once, and says of each what became of it as if it had been claimed alone. */
async function claimTogether(ledger: Ledger, runs: readonly RunId[]): Promise<(run: RunId) => Promise<Claim>> {
  const outcomes = await ledger.claimTogether([...runs, toRunId("run-4")], () => true);
  return async (run) => {
    const outcome = outcomes[runs.indexOf(run)];
    if (outcome?.kind === "claimed") return outcome.claim;
    throw outcome?.kind === "refused" ? outcome.error : toUnknownRunError(run);
  };
}

test("a damaged record is reported, not misread", async () => {
  await here.makeLedger(2);
  here.edit(
    "update run set status = 'nonsense' where name = 'run-0'; update run set started_at = 'soon' where name = 'run-1'",
  );
  const ledger = await here.open();
  expect(await codeOf(ledger.findRun(toRunId("run-0")))).toBe("LEDGER_CORRUPT");
  expect(await codeOf(ledger.listRuns({}))).toBe("LEDGER_CORRUPT");
});

test("a -wal file lost after a SIGKILL is noticed; what is known to be missing is said", verifies("D1"), async () => {
  const ledger = await here.open();
  const { log } = await startAndClaim(ledger, "run");
  await log.append(toStep("a"));
  const killed = join(here.folder, "killed.db");
  copyAsKilled(killed);
  expect(await here.refusal(killed)).toBe("opened"); // all there
  const lost = join(here.folder, "lost.db");
  copyAsKilled(lost, ["", "-owner"]);
  expect(await here.refusal(lost)).toBe("LEDGER_CORRUPT");
  expect(await here.refusal(lost)).toBe("LEDGER_CORRUPT"); // and again: looking does not heal it
  await rm(`${lost}-owner`); // what the hint says
  expect(await here.refusal(lost)).toBe("opened");
  const headless = join(here.folder, "headless.db");
  copyAsKilled(headless, ["-wal"]);
  expect(await here.refusal(headless)).toBe("LEDGER_CORRUPT");
});

test("a -wal file that another program tidied away after a SIGKILL is no loss", async () => {
  const ledger = await here.open();
  const { log } = await startAndClaim(ledger, "run");
  await log.append(toStep("a"));
  const killed = join(here.folder, "killed.db");
  copyAsKilled(killed);
  new DatabaseSync(killed).exec("select count(*) from entry; pragma wal_checkpoint(truncate)");
  await rm(`${killed}-wal`, { force: true });
  const again = await here.open(killed);
  expect(await keysOf(again, toRunId("run"))).toEqual(["/a"]);
});

test("a -wal file removed after a close in good order was not needed", async () => {
  await here.makeLedger();
  await rm(`${here.file}-wal`, { force: true });
  expect(await here.refusal()).toBe("opened");
});

test("the end of the -wal file cut off or garbled after a crash leaves an intact ledger without the last entries", async () => {
  const ledger = await here.open();
  const { log } = await startAndClaim(ledger, "run");
  for (let index = 0; index < 20; index++) await log.append(toStep(`s${index}`));
  const cut = join(here.folder, "cut.db");
  copyAsKilled(cut);
  truncateSync(`${cut}-wal`, Math.floor(statSync(`${cut}-wal`).size / 2) + 77);
  const again = await here.open(cut);
  expect((await verifyLedger(again)).kind).toBe("intact");
  expect(await again.start(toNewRun("new"))).toMatchObject({ kind: "started", run: "new" });
});

/** Everything a ledger answers, by every path to it. */
async function snapshot(path: string): Promise<unknown> {
  const ledger = await openSqliteLedger(path, { clock: createSettableClock() });
  try {
    const verification = await verifyLedger(ledger);
    if (verification.kind === "broken") await ledger.read(toRunId(verification.run));
    const runs = await ledger.listRuns({});
    const entries = await Promise.all(runs.map(async (run) => (await ledger.claim(run.id)).entries));
    return { verification, runs, entries, found: await Promise.all(runs.map((run) => ledger.findRun(run.id))) };
  } finally {
    await ledger.close();
  }
}
