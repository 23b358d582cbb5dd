import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

import { openTutti, type LedgerEntry } from "tutti";

import { toTinyPdf } from "../../packages/tutti/src/testing/tiny-pdf.ts";

export const topic = "Durability, speed and cost of ledgers";
const documents: Readonly<Record<string, string | Uint8Array>> = {
  "durability.md":
    "# Durability\n\nThe **durability** of a ledger is what makes it *worth* having: an entry that was acknowledged survives a crash.\n\nLunch is at noon.\n",
  "speed.txt":
    "The speed of a ledger is limited by how often it waits for the disk.\nMost ledgers wait for many entries at once.\n",
  "cost.html":
    "<title>Cost</title><script>alert(1)</script><p>The cost of a ledger grows with its entries &amp; never with\n its age.</p>",
  "paper.pdf": toTinyPdf(["The durability of ledgers was measured on forty disks."], "On Durability"),
  "broken.pdf": "%PDF-1.4 and then nothing",
};
/** What the documents say, as anybody reads them. */
export const said = [
  "The durability of a ledger is what makes it worth having: an entry that was acknowledged survives a crash.",
  "The speed of a ledger is limited by how often it waits for the disk.",
  "The cost of a ledger grows with its entries & never with its age.",
  "The durability of ledgers was measured on forty disks.",
];

export const given = ["--topic", topic, "--sources", "library"];

export interface Played {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Playing {
  readonly environment?: Readonly<Record<string, string>>;
  /** Kills the process after so many entries. */
  readonly killAfter?: number;
  /** What a person types, and then no more. */
  readonly typed?: string;
}

/** A folder with a small library of every kind of document, in which the example can be run. */
export interface Desk {
  readonly folder: string;
  play(words: readonly string[], playing?: Playing): Promise<Played>;
  readPage(played: Played): Promise<string>;
  readRuns(): Promise<{ readonly status: string; readonly entries: readonly LedgerEntry[] }[]>;
  close(): Promise<void>;
}

export async function openDesk(): Promise<Desk> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-brief-"));
  await mkdir(path.join(folder, "library"));
  for (const [name, content] of Object.entries(documents)) await writeFile(path.join(folder, "library", name), content);
  return {
    folder,
    play: (words, playing = {}) => play(folder, words, playing),
    readPage: (played) => readFile(path.join(folder, played.out.trim()), "utf8"),
    readRuns: () => readRuns(path.join(folder, ".tutti/brief.db")),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

// As a user does, in a process of its own.
function play(
  folder: string,
  words: readonly string[],
  { environment = {}, killAfter, typed }: Playing,
): Promise<Played> {
  const main = path.join(import.meta.dirname, "main.ts");
  const child = spawn(
    process.execPath,
    ["--conditions=tutti-source", "--disable-warning=ExperimentalWarning", main, ...words],
    {
      cwd: folder,
      env: { PATH: process.env["PATH"], NODE_OPTIONS: process.env["NODE_OPTIONS"], CI: "1", ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  child.stdin.on("error", () => {}); // it may be over, or killed, without having read
  child.stdin.end(typed);
  const played = { out: "", err: "" };
  let entries = 0;
  createInterface(child.stdout).on("line", (line) => {
    played.out += `${line}\n`;
    if (line.startsWith('{"kind":"entry"')) entries += 1;
    if (killAfter !== undefined && entries >= killAfter) child.kill("SIGKILL");
  });
  child.stderr.on("data", (chunk) => {
    played.err += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...played, code }));
  });
}

async function readRuns(
  ledger: string,
): Promise<{ readonly status: string; readonly entries: readonly LedgerEntry[] }[]> {
  const tutti = await openTutti({ flows: [], ledger, recover: false });
  try {
    const runs = await tutti.runs();
    return await Promise.all(
      runs.map(async (run) => ({ status: run.status, entries: await (await tutti.open(run.id)).entries() })),
    );
  } finally {
    await tutti.close();
  }
}

/** The quotes that a page prints, as they are read. */
export function quotesIn(page: string): string[] {
  return [...page.matchAll(/<blockquote>\s*<p>(.*?)<\/p>/gs)].map(([, quote = ""]) =>
    quote
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&"),
  );
}

/** The steps that the ledger has as done. */
export function keysDone(entries: readonly LedgerEntry[]): string[] {
  return entries
    .filter((entry) => entry.kind === "step-done" || entry.kind === "effect-settled")
    .map((entry) => entry.key);
}
