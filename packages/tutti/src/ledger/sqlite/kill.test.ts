import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, onTestFinished, test } from "vitest";

import { checkImage, noteAcknowledgement } from "../../../../../test/power/check-image.ts";
import { verifies } from "../../../../../test/verifies.ts";

const writer = fileURLToPath(new URL("../../../../../test/power/writer.ts", import.meta.url));
const kills = 20;

test.for(["power", "process"] as const)(
  `${kills} times SIGKILL at durability %s: no acknowledged entry is lost`,
  verifies("D1"),
  async (durability) => {
    const folder = await mkdtemp(join(tmpdir(), "tutti-kill-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "ledger.db");
    const acknowledged = new Map<string, number>();
    let entries = 0;
    for (let session = 0; session < kills; session++) {
      await writeUntilKilled([file, durability, "1000000", String(session)], { acknowledged, delayMs: session * 7 });
      const verdict = await checkImage(file, acknowledged);
      expect(verdict).toMatchObject({ kind: "good" });
      if (verdict.kind === "good") entries = verdict.entries;
    }
    const sum = [...acknowledged.values()].reduce((left, right) => left + right, 0);
    expect(sum).toBeGreaterThan(kills * 10);
    expect(entries).toBeGreaterThanOrEqual(sum);
  },
);

interface Killing {
  readonly acknowledged: Map<string, number>;
  /** From the first acknowledgement to the kill. */
  readonly delayMs: number;
}

async function writeUntilKilled(args: readonly string[], { acknowledged, delayMs }: Killing): Promise<void> {
  const child = spawn(process.execPath, ["--conditions=tutti-source", writer, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "close");
  let text = "";
  let isKillPlanned = false;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (isKillPlanned) return;
    isKillPlanned = true;
    setTimeout(() => child.kill("SIGKILL"), delayMs);
  });
  const [, signal] = await exited;
  expect(signal).toBe("SIGKILL");
  // The kill may have cut the last line.
  for (const line of text.split("\n").slice(0, -1)) noteAcknowledgement(acknowledged, line);
}
