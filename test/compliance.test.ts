import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { requirements } from "./requirements.ts";

const root = path.resolve(import.meta.dirname, "..");
const page = readFileSync(path.join(root, "docs/compliance.md"), "utf8");

interface Row {
  readonly about: string;
  readonly promises: readonly string[];
  readonly files: readonly string[];
}

/** What is wrong with the rows of a page: a promise that nobody makes, or that none of the files beside it proves. */
function findFaults(text: string): readonly string[] {
  return readRows(text).flatMap(({ about, promises, files }) => {
    const missing = files.filter((file) => !existsSync(path.join(root, file)));
    const texts = files
      .filter((file) => !missing.includes(file))
      .map((file) => readFileSync(path.join(root, file), "utf8"));
    const unknown = promises.filter((id) => requirements.every((requirement) => requirement.id !== id));
    const unproved = promises.filter(
      (id) => !texts.some((file) => new RegExp(`verifies\\([^)]*"${id}"`, "u").test(file)),
    );
    return [...missing, ...unknown, ...unproved].map((what) => `${about}: ${what}`);
  });
}

function readRows(text: string): readonly Row[] {
  const rows = text.split("\n").filter((line) => /^\| (?:\d|ASI)/u.test(line));
  return rows.map((line) => ({
    about: line.split("|")[1]?.trim() ?? "",
    promises: line.match(/\b[A-Z]\d{1,2}\b/gu) ?? [],
    files: [...line.matchAll(/`([\w./-]+\.test\.ts)`/gu)].map((match) => match[1] ?? ""),
  }));
}

test("every article and every risk names promises that are made, and tests beside them that prove them", () => {
  const rows = readRows(page);
  expect(rows.length).toBe(18);
  expect(rows.filter(({ promises, files }) => promises.length === 0 || files.length === 0)).toEqual([]);
  expect(findFaults(page)).toEqual([]);
});

test("a promise that nobody makes, one without proof and a missing file are found", () => {
  const planted = "| 12 | a | G99 X4 | `packages/tutti/src/ledger/verify.test.ts`, `gone.test.ts` |";
  expect(findFaults(planted)).toEqual(["12: gone.test.ts", "12: G99", "12: G99", "12: X4"]);
});
