import { expect, test } from "vitest";
import { z } from "zod";

import { asks, openStand, type Asking, type Stand } from "../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openClient } from "../client/client.ts";
import { runPage, type RunPage } from "../contracts/api/runs.ts";
import { flow } from "../flow/flow.ts";
import { tool } from "../tools/tool.ts";

const taken: string[] = [];
const book = tool({
  name: "book",
  does: "Books a room.",
  input: z.object({ room: z.string() }),
  output: z.object({ room: z.string() }),
  effect: "undoable",
  run: ({ room }) => ({ room }),
  undo: ({ room }) => void taken.push(room),
});
const trip = flow({
  name: "trip",
  input: z.object({ room: z.string() }),
  output: z.string(),
  run: async (run, input) => {
    await run.call(book, input);
    await run.wait("go");
    return "gone";
  },
});

async function openTrip(): Promise<Stand> {
  const stand = await openStand({ flows: [trip], engine: undefined });
  return stand;
}

async function listRuns(stand: Stand, token: string, query: Asking["query"] = {}): Promise<RunPage> {
  return runPage.shape((await stand.ask("listRuns", { token, query })).json, "");
}
