import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { openTokens } from "./tokens.ts";

test("what another process does to the tokens counts at once, however the file was changed", () => {
  const folder = mkdtempSync(join(tmpdir(), "tutti-tokens-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "tokens.json");
  const [server, elsewhere] = [openTokens(file), openTokens(file)];
  const { token, record } = elsewhere.create({ name: "anna", role: "operator", createdAt: 1 });
  utimesSync(file, 1_000, 1_000);
  expect(server.find(token)).toEqual(record);
  const backup = readFileSync(file);
  elsewhere.revoke(record.id);
  utimesSync(file, 1_000, 1_000); // another file of the same time
  expect(server.find(token)).toBeUndefined();
  writeFileSync(file, backup); // the same file of another time
  utimesSync(file, 2_000, 2_000);
  expect(server.find(token)).toEqual(record);
});
