import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll } from "vitest";

import { describeLedger } from "../../../../../test/ledger/ledger-conformance.ts";
import { openSqliteLedger } from "./sqlite-ledger.ts";

let folder = "";
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tutti-ledger-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

for (const durability of ["power", "process"] as const) {
  describeLedger(`SQLite ledger, ${durability}`, {
    durability,
    open: (options) => openSqliteLedger(join(folder, `${(files += 1)}.db`), { ...options, durability }),
  });
}
