import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openAuditFolder, verifyFolder, writeRuns, type AuditFolder } from "../../../../test/audit/audit-fixture.ts";
import { codeOf } from "../../../../test/ledger/ledger-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { parseAnchor } from "./anchor.ts";

let audited: AuditFolder;
beforeEach(async () => {
  audited = openAuditFolder();
  await audited.write((ledger) => writeRuns(ledger, { one: "" }));
});
afterEach(() => audited[Symbol.dispose]());

interface Keeper {
  readonly address: string;
  /** What it answers; 200 by default. */
  status: number;
  readonly notes: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** A service that keeps what it is given. */
async function openKeeper(): Promise<Keeper> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      if (request.method === "POST" && keeper.status === 200) keeper.notes.push(Buffer.concat(parts).toString("utf8"));
      response.writeHead(
        request.method === "GET" && keeper.notes.length === 0 && keeper.status === 200 ? 404 : keeper.status,
      );
      response.end(request.method === "GET" ? keeper.notes.join("\n") : "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const keeper: Keeper = {
    address: `http://127.0.0.1:${port}/log`,
    status: 200,
    notes: [],
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return keeper;
}

test(
  "a service keeps checkpoints, each once, and what it keeps is compared with the ledger",
  verifies("G12"),
  async () => {
    await using keeper = await openKeeper();
    const anchor = parseAnchor(keeper.address, audited.file);
    await audited.checkpoint([anchor]);
    await audited.checkpoint([anchor]);
    expect(keeper.notes.length).toBe(2); // the key and one state
    expect(await verifyFolder(audited, [anchor])).toMatchObject({ findings: [], unsigned: 0 });
  },
);

test(
  "a service that is away or refuses is said; what was signed meanwhile is handed on later",
  verifies("G12"),
  async () => {
    await using keeper = await openKeeper();
    const anchor = parseAnchor(keeper.address, audited.file);
    keeper.status = 503;
    expect(await codeOf(audited.checkpoint([anchor]))).toBe("ANCHOR_FAILED");
    await audited.checkpoint([]);
    keeper.status = 200;
    await audited.checkpoint([anchor]);
    expect(keeper.notes.length).toBe(2);
    expect(await codeOf(parseAnchor("http://127.0.0.1:9/", audited.file).read(AbortSignal.timeout(5_000)))).toBe(
      "ANCHOR_FAILED",
    );
  },
);

test("a file beside the ledger is no anchor, whatever it is called", () => {
  const inside = path.join(audited.folder, "data", "anchor.txt");
  symlinkSync(path.join(audited.folder, "data"), path.join(audited.folder, "other-name"));
  for (const named of [inside, path.join(audited.folder, "other-name", "deep", "anchor.txt")])
    expect(() => parseAnchor(named, audited.file)).toThrow("the ledger's own folder");
});

test("an anchor that keeps something else, or another ledger, is said", verifies("G12"), async () => {
  mkdirSync(path.dirname(audited.anchor.name));
  writeFileSync(audited.anchor.name, "to do: buy milk\n");
  expect(await codeOf(audited.checkpoint())).toBe("ANCHOR_FAILED");
  writeFileSync(audited.anchor.name, "");
  await audited.checkpoint([]);
  expect((await verifyFolder(audited, [audited.anchor])).findings).toMatchObject([{ kind: "past" }]);
  using other = openAuditFolder();
  await other.write((ledger) => writeRuns(ledger, { one: "" }));
  await other.checkpoint([audited.anchor]);
  expect(await codeOf(audited.checkpoint())).toBe("LEDGER_CORRUPT");
  expect((await verifyFolder(audited, [audited.anchor])).findings).toMatchObject([{ kind: "past" }, { kind: "past" }]);
});
