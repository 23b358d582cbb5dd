import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import {
  openAuditFolder,
  replaceEntries,
  reseal,
  verifyFolder,
  writeRuns,
  type AuditFolder,
} from "../../../../test/audit/audit-fixture.ts";
import { codeOf } from "../../../../test/ledger/ledger-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { readAuditRecord, toAuditFolder } from "./audit-file.ts";
import { parseLogNote } from "./checkpoint.ts";
import { rotateSigningKey } from "./signing-key.ts";
import { takeCheckpoint } from "./take-checkpoint.ts";

let audited: AuditFolder;
beforeEach(() => {
  audited = openAuditFolder();
});
afterEach(() => audited[Symbol.dispose]());

const checkpointsOf = ({ file }: AuditFolder): string => path.join(toAuditFolder(file), "checkpoints.jsonl");
const keyOf = ({ file }: AuditFolder): string => path.join(toAuditFolder(file), "signing-key.json");

test("every tenant has a log of its own, and so have the runs of nobody in particular", verifies("G12"), async () => {
  await audited.write((ledger) => writeRuns(ledger, { one: "acme", two: "", three: "acme", four: "b.corp" }));
  const { newest, added, log } = await audited.checkpoint();
  expect(added).toBe(16);
  expect(newest.map(({ origin, size }) => [origin.slice(log.length), size])).toEqual([
    ["/tenant/acme", 8],
    ["/runs", 4],
    ["/tenant/b.corp", 4],
  ]);
  expect(await verifyFolder(audited, [audited.anchor])).toMatchObject({ findings: [], unsigned: 0 });
});

test("a log is taken up where it was left, also in the middle of a run", verifies("G12"), async () => {
  await audited.write((ledger) => writeRuns(ledger, { one: "acme", two: "" }, 1));
  await audited.checkpoint();
  await audited.write(async (ledger) => {
    for (const { id } of await ledger.listRuns({})) {
      const { log } = await ledger.claim(id);
      await log.append({ kind: "step-done", key: "/later", body: "{}" });
    }
  });
  expect(await audited.checkpoint()).toMatchObject({ added: 2 });
  expect(await audited.checkpoint()).toMatchObject({ added: 0 });
  expect(readAuditRecord(toAuditFolder(audited.file)).sequenced.length).toBe(2);
  await audited.write((ledger) => writeRuns(ledger, { three: "acme" }, 1));
  expect(await verifyFolder(audited, [audited.anchor])).toMatchObject({
    findings: [],
    unsigned: 2,
    newest: { lsn: 6 },
  });
});

test(
  "a ledger that is not a continuation of what was signed is not signed: cut off, rewritten, or restored from a backup",
  verifies("G12"),
  async () => {
    await audited.write((ledger) => writeRuns(ledger, { one: "" }));
    const backup = readFileSync(audited.file);
    await audited.write((ledger) => writeRuns(ledger, { two: "" }));
    await audited.checkpoint();
    const whole = readFileSync(audited.file);
    replaceEntries(audited.file, (entries) => entries.slice(0, -1));
    expect(await codeOf(audited.checkpoint([]))).toBe("LEDGER_CORRUPT");
    replaceEntries(audited.file, (entries) => reseal(entries.map((entry) => ({ ...entry, at: entry.at + 1 }))));
    expect(await codeOf(audited.checkpoint([]))).toBe("LEDGER_CORRUPT");
    for (const ending of ["-wal", "-shm"]) rmSync(audited.file + ending, { force: true });
    writeFileSync(audited.file, whole);
    const signed = readFileSync(checkpointsOf(audited), "utf8");
    // The ledger, and what was signed, as they were before; then other entries.
    writeFileSync(audited.file, backup);
    writeFileSync(checkpointsOf(audited), signed.slice(0, signed.indexOf("\n") + 1));
    await audited.write((ledger) => writeRuns(ledger, { another: "" }));
    expect(await codeOf(audited.checkpoint())).toBe("LEDGER_CORRUPT");
  },
);

test("an entry that does not continue its run is never signed", verifies("G12"), async () => {
  await audited.write((ledger) => writeRuns(ledger, { one: "" }));
  replaceEntries(audited.file, (entries) =>
    entries.map((entry) => (entry.seq === 3 ? { ...entry, body: `{"out":1}` } : entry)),
  );
  expect(await codeOf(audited.checkpoint())).toBe("LEDGER_CORRUPT");
  expect(readAuditRecord(toAuditFolder(audited.file)).sequenced).toEqual([]);
});

test("what a power cut could still take back is made durable before it is signed", verifies("G12"), async () => {
  await audited.write((ledger) => writeRuns(ledger, { one: "" }));
  const order: string[] = [];
  await audited.look((ledger) =>
    takeCheckpoint({
      ledger: { ...ledger, flush: () => ledger.flush().then(() => void order.push("durable")) },
      folder: toAuditFolder(audited.file),
      anchors: [],
      signal: new AbortController().signal,
      beforeSigning: () => order.push("signing"),
    }),
  );
  expect(order).toEqual(["durable", "signing"]);
});

test("a forged checkpoint, signed by another key or changed by hand, is found", verifies("G12"), async () => {
  await audited.write((ledger) => writeRuns(ledger, { one: "" }));
  await audited.checkpoint();
  using forger = openAuditFolder();
  await forger.write((ledger) => writeRuns(ledger, { one: "" }));
  const { log } = await audited.checkpoint();
  const { log: other } = await forger.checkpoint();
  const whole = readFileSync(checkpointsOf(audited), "utf8");
  const [, forged = ""] = readFileSync(checkpointsOf(forger), "utf8").split("\n");
  appendFileSync(checkpointsOf(audited), `${forged.replaceAll(other, log)}\n`);
  expect((await verifyFolder(audited, [audited.anchor])).findings.map(({ kind }) => kind)).toEqual(["signature"]);
  writeFileSync(checkpointsOf(audited), whole.replace(String.raw`\n4\n`, String.raw`\n3\n`));
  expect((await verifyFolder(audited, [])).findings.map(({ kind }) => kind)).toEqual(["signature"]);
});

test("keys are replaced: the new one is vouched for by the old one, which is gone; a stranger's key is not trusted", async () => {
  await audited.write((ledger) => writeRuns(ledger, { one: "" }));
  const { publicKey } = await audited.checkpoint();
  const folder = toAuditFolder(audited.file);
  const next = rotateSigningKey(folder);
  expect(next).toMatchObject({ generation: 2 });
  expect(next.publicKey).not.toBe(publicKey);
  expect(readFileSync(keyOf(audited), "utf8")).not.toContain(publicKey);
  await audited.write((ledger) => writeRuns(ledger, { two: "" }));
  expect(await audited.checkpoint()).toMatchObject({ publicKey: next.publicKey });
  expect(await verifyFolder(audited, [audited.anchor])).toMatchObject({ findings: [], unsigned: 0 });
  const file = checkpointsOf(audited);
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, lines.toSpliced(2, 1).join("\n")); // without the note that announces the second key
  expect((await verifyFolder(audited, [])).findings.map(({ kind }) => kind)).toEqual(["signature"]);
});

test("the key is made on first use for its owner's eyes only; others' eyes, damage and loss are said", async () => {
  await audited.write((ledger) => writeRuns(ledger, { one: "" }));
  await audited.checkpoint([]);
  expect(statSync(keyOf(audited)).mode & 0o777).toBe(0o600);
  chmodSync(keyOf(audited), 0o644);
  await expect(audited.checkpoint([])).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    hint: expect.stringContaining("chmod 600"),
  });
  chmodSync(keyOf(audited), 0o600);
  writeFileSync(keyOf(audited), "{}");
  expect(await codeOf(audited.checkpoint([]))).toBe("CONFIG_INVALID");
  rmSync(keyOf(audited));
  await expect(audited.checkpoint([])).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("missing"),
  });
});

/** What was ever shown of the logs: sizes that were signed with more than one root. */
class Shown {
  readonly forks: string[] = [];
  private readonly rootByState = new Map<string, string>();

  add(notes: readonly string[]): void {
    for (const note of notes.map(parseLogNote)) {
      if (note?.kind !== "checkpoint") continue;
      const state = `${note.origin} ${note.size}`;
      if ((this.rootByState.get(state) ?? note.root) !== note.root) this.forks.push(state);
      this.rootByState.set(state, note.root);
    }
  }
}

function dieBeforeSigning(): never {
  throw new Error("killed");
}

type Act = "grow" | "checkpoint" | "die before signing" | "tear" | "rotate";

async function perform(folder: AuditFolder, act: Act, count: number): Promise<void> {
  switch (act) {
    case "grow":
      return folder.write((ledger) => writeRuns(ledger, { [`run-${count}`]: count % 2 === 0 ? "acme" : "" }, 2));
    case "checkpoint":
      return void (await folder.checkpoint());
    case "die before signing": {
      const { signal } = new AbortController();
      const request = { folder: toAuditFolder(folder.file), anchors: [], signal, beforeSigning: dieBeforeSigning };
      return void (await folder.look((ledger) => codeOf(takeCheckpoint({ ...request, ledger }))));
    }
    case "tear": {
      // A line that was being written when the power went: nobody has seen it.
      appendFileSync(checkpointsOf(folder), `{"last":{"lsn":${count}`);
      return undefined;
    }
    case "rotate":
      return void rotateSigningKey(toAuditFolder(folder.file));
  }
}

test(
  "wherever the sequencer dies, nothing is lost, and no two states of one size are ever signed",
  { ...verifies("G12"), timeout: 30_000 },
  async () => {
    const acts = fc.array(fc.constantFrom<Act>("grow", "checkpoint", "die before signing", "tear", "rotate"), {
      maxLength: 9,
    });
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        using folder = openAuditFolder();
        const shown = new Shown();
        for (const [count, act] of (["grow", "checkpoint", ...list, "checkpoint"] as const).entries()) {
          await perform(folder, act, count);
          const { keys, sequenced } = readAuditRecord(toAuditFolder(folder.file));
          shown.add([...keys, ...sequenced.flatMap(({ logs }) => logs.map(({ checkpoint }) => checkpoint))]);
          shown.add(await folder.anchor.read(new AbortController().signal));
        }
        expect(shown.forks).toEqual([]);
        expect(await verifyFolder(folder, [folder.anchor])).toMatchObject({ findings: [], unsigned: 0 });
      }),
      {
        numRuns: 15,
        examples: [[["grow", "die before signing", "grow"]], [["tear", "grow", "tear"]], [["rotate", "grow"]]],
      },
    );
  },
);

test(
  "a sequencer that is killed by the system between reading and signing leaves the next one its work",
  verifies("G12"),
  async () => {
    await audited.write((ledger) => writeRuns(ledger, { one: "acme" }));
    const child = path.resolve(import.meta.dirname, "../../../../test/audit/dying-sequencer.ts");
    const flags = ["--conditions=tutti-source", child, audited.file];
    expect(spawnSync(process.execPath, flags, { encoding: "utf8" })).toMatchObject({ signal: "SIGKILL" });
    expect(readAuditRecord(toAuditFolder(audited.file)).sequenced).toEqual([]);
    expect(await audited.checkpoint()).toMatchObject({ added: 4 });
    expect(await verifyFolder(audited, [audited.anchor])).toMatchObject({ findings: [], unsigned: 0 });
  },
);

test("a whole line that can't be read stops the work, and says which", async () => {
  await audited.write((ledger) => writeRuns(ledger, { one: "" }));
  await audited.checkpoint();
  truncateSync(checkpointsOf(audited), 40);
  appendFileSync(checkpointsOf(audited), "\n");
  await expect(audited.checkpoint()).rejects.toMatchObject({
    code: "LEDGER_CORRUPT",
    message: expect.stringContaining("line 1 "),
  });
});
