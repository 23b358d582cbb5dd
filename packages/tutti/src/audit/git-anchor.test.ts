import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { codeOf } from "../../../../test/ledger/ledger-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Anchor } from "./anchor-port.ts";
import { parseAnchor } from "./anchor.ts";

const note = (text: string): string => `${text}\n1\nroot\n\n— ${text} c2lnbmF0dXJl\n`;

interface Repository {
  readonly anchor: Anchor;
  readonly file: string;
  readonly git: (...args: readonly string[]) => string;
  readonly read: () => Promise<readonly string[]>;
  readonly publish: (text: string) => Promise<void>;
}

function openRepository(): Repository {
  const root = mkdtempSync(path.join(tmpdir(), "tutti-git-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = path.join(root, "vault");
  mkdirSync(folder);
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@localhost", ...args], {
      encoding: "utf8",
    });
  git("init", "--quiet");
  const anchor = parseAnchor(`git:${folder}`, path.join(root, "ledger", "shop.db"));
  const { signal } = new AbortController();
  return {
    anchor,
    file: path.join(folder, "tutti-checkpoints.txt"),
    git,
    read: () => anchor.read(signal),
    publish: (text) => anchor.publish(note(text), signal),
  };
}

test("every note is a commit, once, and all of them are read back in order", verifies("G12"), async () => {
  const { git, read, publish, file } = openRepository();
  expect(await read()).toEqual([]);
  for (const text of ["one", "two", "two"]) await publish(text);
  expect(await read()).toEqual([note("one"), note("two")]);
  expect(git("rev-list", "--count", "HEAD").trim()).toBe("2");
  writeFileSync(file, "what nobody committed");
  expect(await read()).toEqual([note("one"), note("two")]);
  await publish("three");
  expect(await read()).toHaveLength(3);
});

test(
  "a note that was taken out or changed later is found, and nothing more is kept there",
  verifies("G12"),
  async () => {
    for (const tamper of [(text: string) => text.replace("one", "won"), () => note("two")]) {
      const { git, read, publish, file } = openRepository();
      for (const text of ["one", "two"]) await publish(text);
      writeFileSync(file, tamper(readFileSync(file, "utf8")));
      git("commit", "-qam", "tidy");
      expect(await codeOf(read())).toBe("ANCHOR_FAILED");
      expect(await codeOf(publish("three"))).toBe("ANCHOR_FAILED");
    }
  },
);

test("a folder that is no repository is told as one, and one beside the ledger is refused", async () => {
  const { anchor } = openRepository();
  const none = parseAnchor("git:/nowhere/at/all", "/ledger/shop.db");
  expect(await codeOf(none.read(new AbortController().signal))).toBe("ANCHOR_FAILED");
  expect(() => parseAnchor("git:/ledger/vault", "/ledger/shop.db")).toThrow(/own folder/u);
  const stopped = anchor.read(AbortSignal.abort());
  expect(await codeOf(stopped)).toBe("ANCHOR_FAILED");
});
