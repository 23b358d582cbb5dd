import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

import type { Tutti } from "tutti";
import { verifyLedger } from "tutti/insight";
import type { z } from "zod";

/** What an example tells about itself, in order, and whether it kept its word. */
export interface Account {
  /** A part of the story. */
  tell(title: string, lines: readonly string[]): void;
  /** A promise, and whether it was kept. */
  check(promise: string, isKept: boolean): void;
  /** Says what was checked and where to look next; returns the exit code: 1 when a promise was broken. */
  end(where: { readonly ledger: string; readonly next: readonly string[] }): number;
}

export function openAccount(title: string): Account {
  const checks: { readonly promise: string; readonly isKept: boolean }[] = [];
  say(title, "═".repeat(title.length));
  return {
    tell: (heading, lines) => say("", heading, ...lines.map((line) => `  ${line}`)),
    check: (promise, isKept) => void checks.push({ promise, isKept }),
    end({ ledger, next }) {
      const broken = checks.filter(({ isKept }) => !isKept).length;
      say("", "Checked", ...checks.map(({ promise, isKept }) => `  ${isKept ? "✓" : "✗"} ${promise}`));
      say(
        "",
        `Ledger  ${ledger}`,
        ...next.map((command, index) => `${index === 0 ? "Next    " : "        "}${command}`),
      );
      if (broken > 0) say("", `${broken} of ${checks.length} promises were broken.`);
      return broken === 0 && checks.length > 0 ? 0 : 1;
    },
  };
}

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Where an example keeps its ledger; what an earlier start left there is removed, so that each start tells the whole story. */
export function makeLedgerPath(example: string): string {
  const folder = path.join(".tutti", example);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return path.join(folder, "ledger.db");
}

/** A JSON file of the example's inputs. */
export function readJson<Value>(file: string, schema: z.ZodType<Value>): Value {
  return schema.parse(JSON.parse(readFileSync(file, "utf8")));
}

/** Whether every entry of the ledger is what was once written. */
export async function isIntact(tutti: Tutti): Promise<boolean> {
  await tutti.ledger.flush();
  return (await verifyLedger(tutti.ledger)).kind === "intact";
}
