// What the search for secrets costs: node scripts/run.mjs packages/tutti/src/base/known-secrets.bench.ts
// The quickest of several rounds. Values are tokens of 43 letters; the text is half prose, half noise; the entry is an ordinary one.
import { findSecret, watchSecret } from "./known-secrets.ts";

const rounds = 9;
const entriesPerRound = 100_000;

const prose = "What the search for secrets costs is told by a text like this one. ".repeat(9_000);
const noise = Array.from({ length: 600_000 }, () => String.fromCharCode(32 + Math.random() * 95)).join("");
const text = JSON.stringify({ prose, noise });
const entry = JSON.stringify({
  out: { text: "hello anna", list: [1, 2, 3], more: "as long as most entries of a ledger are" },
});

let watched = 0;
for (const count of [0, 1, 8, 128]) {
  const addingMs = elapsedMs(() => {
    for (; watched < count; watched++) watchSecret(`secret-${watched}`, toToken(watched));
    findSecret("");
  });
  const perLetter = quickest(() => void findSecret(text)) / text.length;
  const perEntry = quickest(() => repeat(entriesPerRound, () => void findSecret(entry))) / entriesPerRound;
  process.stdout.write(
    `${count} values: added in ${addingMs.toFixed(1)} ms; ${(perLetter * 1e6).toFixed(2)} ns a letter; ${(perEntry * 1e6).toFixed(0)} ns an entry of ${entry.length} letters\n`,
  );
}

function toToken(index: number): string {
  return `sk-${Buffer.from(Array.from({ length: 30 }, (_, at) => (index * 31 + at * at * 7 + 13) % 256)).toString("base64url")}`;
}

function quickest(work: () => void): number {
  return Math.min(...Array.from({ length: rounds }, () => elapsedMs(work)));
}

function elapsedMs(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

function repeat(count: number, work: () => void): void {
  for (let index = 0; index < count; index++) work();
}
