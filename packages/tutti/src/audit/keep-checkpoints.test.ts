import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { openAuditFolder, verifyFolder, writeRuns, type AuditFolder } from "../../../../test/audit/audit-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { TuttiError } from "../base/errors.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { toAuditFolder } from "./audit-file.ts";
import { keepCheckpoints } from "./keep-checkpoints.ts";

let audited: AuditFolder;
beforeEach(() => {
  audited = openAuditFolder();
});
afterEach(() => audited[Symbol.dispose]());

test(
  "checkpoints are taken by themselves, each time that so long has passed, and once more at the end",
  verifies("G12"),
  async () => {
    const clock = openManualClock();
    const added: number[] = [];
    const failed: TuttiError[] = [];
    await audited.write(async (ledger) => {
      const kept = keepCheckpoints({
        ledger,
        folder: toAuditFolder(audited.file),
        anchors: [audited.anchor],
        clock,
        everyMs: 60_000,
        onTaken: (taken) => added.push(taken.added),
        onFailed: (error) => failed.push(error),
      });
      await writeRuns(ledger, { one: "acme" });
      await clock.advance(59_999);
      expect(added).toEqual([]);
      await clock.advance(1);
      await vi.waitFor(() => expect(added).toEqual([4]));
      await clock.advance(60_000);
      await vi.waitFor(() => expect(added).toEqual([4, 0]));
      await writeRuns(ledger, { two: "" });
      await kept.close();
    });
    expect(added).toEqual([4, 0, 4]);
    expect(failed).toEqual([]);
    expect(await verifyFolder(audited, [audited.anchor])).toMatchObject({ findings: [], unsigned: 0 });
  },
);

test("one that fails is told, holds nobody up, and the next takes in what it would have", verifies("G12"), async () => {
  const clock = openManualClock();
  const added: number[] = [];
  const failed: string[] = [];
  let isDown = true;
  const anchor = {
    ...audited.anchor,
    publish: (note: string, signal: AbortSignal) =>
      isDown ? Promise.reject(new Error("the vault is locked")) : audited.anchor.publish(note, signal),
  };
  await audited.write(async (ledger) => {
    const kept = keepCheckpoints({
      ledger,
      folder: toAuditFolder(audited.file),
      anchors: [anchor],
      clock,
      everyMs: 1_000,
      onTaken: (taken) => added.push(taken.added),
      onFailed: ({ message }) => failed.push(message),
    });
    await writeRuns(ledger, { one: "acme" });
    await clock.advance(1_000);
    await vi.waitFor(() => expect(failed).toHaveLength(1));
    isDown = false;
    await clock.advance(1_000);
    await vi.waitFor(() => expect(added).toHaveLength(1));
    await kept.close();
  });
  expect(failed).toEqual([expect.stringContaining("the vault is locked")]);
  expect(await verifyFolder(audited, [audited.anchor])).toMatchObject({ findings: [], unsigned: 0 });
});
