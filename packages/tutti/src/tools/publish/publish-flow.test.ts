import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { systemClock } from "../../base/clock.ts";
import { anything } from "../../base/shape.ts";
import type { Tool } from "../../contracts/callable.ts";
import type { Flow } from "../../contracts/run.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { openTutti } from "../../engine/open-tutti.ts";
import { flow } from "../../flow/flow.ts";
import { openMemoryLedger } from "../../ledger/memory/memory-ledger.ts";
import { tool } from "../tool.ts";
import type { PageInput, PageOutput } from "./page-input.ts";
import { publishFolder } from "./publish-folder.ts";

const any = schemaOf<unknown>(anything, {});
const page: PageInput = { slug: "launch", title: "Launch", markdown: "Hello" };

async function openFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-publish-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function toFlow(publish: Tool<PageInput, PageOutput>, afterwards?: () => never): Flow {
  return flow({
    name: "launch",
    input: any,
    output: any,
    onFailure: "undo",
    run: async (run) => {
      const output = await run.call(publish, page);
      afterwards?.();
      return output;
    },
  });
}

async function openEngine(launch: Flow): ReturnType<typeof openTutti> {
  const tutti = await openTutti({ flows: [launch], ledger: openMemoryLedger({ clock: systemClock }) });
  onTestFinished(() => tutti.close());
  return tutti;
}

const read = (folder: string): Promise<string | undefined> =>
  readFile(path.join(folder, "launch", "index.html"), "utf8").catch(() => undefined);

test("two runs that publish the same page publish it once", verifies("D4"), async () => {
  const folder = await openFolder();
  const publish = publishFolder({ folder });
  let published = 0;
  const counted = tool({
    ...publish,
    run(input: PageInput, host) {
      published += 1;
      return publish.run(input, host);
    },
  });
  const launch = toFlow(counted);
  const tutti = await openEngine(launch);
  const [first, second] = await Promise.all([tutti.run(launch, 1), tutti.run(launch, 2)]);
  expect(first).toEqual(second);
  expect(published).toBe(1);
});

test("a page whose answer was lost is found by its check, and not published again", verifies("D3"), async () => {
  const folder = await openFolder();
  const publish = publishFolder({ folder });
  const losing = tool({
    ...publish,
    async run(input: PageInput, host) {
      await publish.run(input, host);
      throw new Error("the answer was lost");
    },
  });
  const launch = toFlow(losing);
  const tutti = await openEngine(launch);
  expect(await tutti.run(launch, 1)).toMatchObject({ slug: "launch" });
  expect(await read(folder)).toContain("Hello");
});

test("a flow that fails takes its page back", verifies("D6"), async () => {
  const folder = await openFolder();
  const launch = toFlow(publishFolder({ folder }), () => {
    throw new Error("the hotel is full");
  });
  const tutti = await openEngine(launch);
  await expect(tutti.run(launch, 1)).rejects.toThrow("the hotel is full");
  expect(await read(folder)).toBeUndefined();
  expect(await readFile(path.join(folder, "index.html"), "utf8")).not.toContain("launch");
});
