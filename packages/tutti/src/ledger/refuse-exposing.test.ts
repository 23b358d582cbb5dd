import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { watchSecret } from "../base/known-secrets.ts";
import { toEffectKey, toRunId, toStepKey } from "../contracts/ids.ts";
import type { NewEntry, NewRun } from "./ledger.ts";
import { findExposing, refuseExposing } from "./refuse-exposing.ts";

const canary = "canary-of-the-ledger";
watchSecret("crm", canary);

const entry: NewEntry = { kind: "step-done", key: "/ask", body: "{}" };
const run: NewRun = { id: toRunId("r1"), flow: "ask", version: "1", body: "{}" };
const intended = { key: toEffectKey("a"), step: toStepKey("/ask"), tool: "a", class: "once", digest: "" } as const;
const effect = toEffectKey(`ask:${canary}`);
const blobs = [{ hash: "", content: `"${canary}"` }];

test.each<[string, NewEntry | NewRun]>([
  ["key", { ...entry, key: `/${canary}` }],
  ["body", { ...entry, body: JSON.stringify({ out: canary }) }],
  ["blob", { ...entry, blobs }],
  ["key of an intended effect", { ...entry, effect: { kind: "intend", effect: { ...intended, key: effect } } }],
  ["key of a changed effect", { ...entry, effect: { kind: "change", key: effect, state: "settled" } }],
  ["child's input", { ...entry, starts: { ...run, body: JSON.stringify({ input: canary }) } }],
  ["child's blob", { ...entry, starts: { ...run, blobs } }],
  ["run's id", { ...run, id: toRunId(canary) }],
  ["run's start key", { ...run, startKey: `ask:${canary}` }],
  ["run's input", { ...run, body: JSON.stringify({ input: canary }) }],
  ["run's copied past", { ...run, copied: [{ ...entry, body: JSON.stringify({ out: canary }) }] }],
])("the ledger takes no secret, wherever it stands: %s", verifies("G10"), (_place, exposing) => {
  expect(() => refuseExposing(exposing)).toThrow(expect.objectContaining({ code: "SECRET_EXPOSED", effect: "none" }));
});

test("what holds no secret is taken", () => {
  const clean: NewEntry = {
    ...entry,
    effect: { kind: "intend", effect: intended },
    starts: { ...run, copied: [entry] },
  };
  expect(findExposing(clean)).toBeUndefined();
});
