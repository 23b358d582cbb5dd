import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { sha256 } from "../../base/hash.ts";
import type { ToolReport } from "../../contracts/callable.ts";
import { openProviderServer } from "../../testing/provider-server.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { folderStore } from "./folder-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { s3Store } from "./s3-store.ts";
import { storageTools } from "./storage-tools.ts";

const input = { text: "kept", mediaType: "text/plain" };
const hash = sha256("kept");

async function openFolder(name = "folder"): Promise<ObjectStore> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-stores-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folderStore({ folder, name });
}

/** A bucket whose service answers everything with this status. */
async function openBucket(status: number): Promise<ObjectStore> {
  const server = await openProviderServer(() => ({ kind: "answer", status, body: "" }));
  onTestFinished(() => server.close());
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-key-of-nobody" };
  return s3Store({ endpoint: server.url, region: "r", bucket: "evidence", credentials });
}

test(
  "what one store may or may not have kept is kept by the next: a copy under the same hash is no second effect",
  verifies("K3", "S5"),
  async () => {
    const reports: ToolReport[] = [];
    const host = toToolHost({ report: (report) => reports.push(report) });
    const { put, get, head } = storageTools([await openBucket(500), await openFolder()]);
    expect(await put.run(input, host)).toMatchObject({ hash, bytes: 4 });
    expect(Object.assign({}, ...reports)).toMatchObject({
      provider: "folder",
      tried: [{ provider: "s3", code: "TOOL_INTERRUPTED" }],
      note: expect.stringMatching(/^kept at file:/),
    });
    expect(await get.run({ hash }, host)).toMatchObject({ found: true, text: "kept" });
    expect(await head.run({ hash }, host)).toMatchObject({ found: true, from: [{ run: "run-1" }] });
  },
);

test("when no store is known to have kept it, the error says that one may have", verifies("K3", "K4"), async () => {
  const { put } = storageTools(
    [await openBucket(500), await openBucket(403)].map((store, at) => ({ ...store, name: `s${at}` })),
  );
  await expect(put.run(input, toToolHost())).rejects.toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
});

test(
  "an object is looked for in every store; that none has it is an answer only if all of them say so",
  verifies("K3", "S5"),
  async () => {
    const first = await openFolder("first");
    const second = await openFolder("second");
    await storageTools(second).put.run(input, toToolHost());
    const { get, head } = storageTools([first, second]);
    expect(await get.run({ hash }, toToolHost())).toMatchObject({ found: true, text: "kept" });
    expect(await get.run({ hash: sha256("?") }, toToolHost())).toEqual({ found: false });
    expect(await head.run({ hash: sha256("?") }, toToolHost())).toEqual({ found: false });
    const refusing = storageTools([first, await openBucket(403)]);
    await expect(refusing.get.run({ hash }, toToolHost())).rejects.toMatchObject({
      code: "TOOL_FAILED",
      effect: "none",
      message: expect.stringContaining("s3: TOOL_REFUSED"),
    });
  },
);

test("two stores of one name are refused when the tools are made", verifies("K3"), async () => {
  const stores = [await openFolder(), await openFolder()];
  expect(() => storageTools(stores)).toThrow(/two of its providers are called folder/);
});
