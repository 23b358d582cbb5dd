import { expect, test } from "vitest";

import { verifies } from "../verifies.ts";
import { explorePowerCuts } from "./explore.ts";
import { parseTrace } from "./trace.ts";

const seed = Number(process.env["TUTTI_SEED"] ?? "1");

test(
  "after a power cut at any of 400 moments nothing acknowledged is lost and nothing is damaged",
  verifies("D1"),
  async () => {
    const findings = await explorePowerCuts({ durability: "power", images: 400, seed });
    expect(findings).toMatchObject({ images: 400, lost: 0, damaged: 0, examples: [] });
    expect(findings.acknowledgements).toBeGreaterThan(100);
  },
);

test("a ledger that acknowledges before the sync is caught losing entries, and still not damaged", async () => {
  const findings = await explorePowerCuts({ durability: "process", images: 120, seed });
  expect(findings.lost).toBeGreaterThan(10);
  expect(findings.damaged).toBe(0);
});

test("a trace is read right: interrupted calls are joined, failed ones are left out", () => {
  const text = [
    String.raw`10 openat(AT_FDCWD, "\x2f\x61", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 7`,
    String.raw`10 openat(AT_FDCWD, "\x2f\x62", O_RDONLY) = -1 ENOENT (No such file or directory)`,
    String.raw`11 fdatasync(7 <unfinished ...>`,
    String.raw`10 pwrite64(7, "\x41\x42", 2, 4096) = 2`,
    String.raw`11 <... fdatasync resumed>)         = 0`,
    String.raw`10 write(1, "\x72\x20\x31\x0a", 4) = 4`,
    String.raw`10 +++ exited with 0 +++`,
  ].join("\n");
  expect(parseTrace(text)).toEqual([
    { kind: "open", descriptor: 7, path: "/a", creates: true, empties: false },
    { kind: "sync-started", descriptor: 7, thread: "11" },
    { kind: "write", descriptor: 7, offset: 4096, data: Buffer.from("AB") },
    { kind: "sync-ended", descriptor: 7, thread: "11" },
    { kind: "acknowledged", line: "r 1" },
  ]);
});
