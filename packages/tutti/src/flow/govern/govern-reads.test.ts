import { expect, test } from "vitest";
import { z } from "zod";

import { toPolicy } from "../../../../../test/approvals/approval-fixture.ts";
import { errorOf, linesOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Policy, PolicyVerdict } from "../../contracts/policy.ts";
import { document } from "../document.ts";

const stock = document({ name: "stock", value: z.object({ left: z.number() }), initial: { left: 10 } });

const needs: PolicyVerdict = {
  kind: "needs",
  rules: ["secret"],
  why: "somebody has to look at it",
  approvals: [{ count: 1, distinctFromInitiator: false }],
};
const denied: PolicyVerdict = { kind: "deny", rules: ["secret"], why: "apples are secret" };

/** Reads of apples get this verdict; all else is allowed. */
const toHouse = (verdict: PolicyVerdict): Policy =>
  toPolicy(({ action, resource }) =>
    action === "read-document" && resource.name === "stock/apples" ? verdict : { kind: "allow", rules: ["all"] },
  );

test("what may be read leaves no trace of being allowed; what may not is not read", verifies("G3"), async () => {
  const stage = openStage();
  const look = plainFlow("look", async (run) => {
    await run.document(stock, "pears").read();
    return run.document(stock, "apples").read();
  });
  const tutti = await stage.open([look], { policy: toHouse(denied) });
  expect(await errorOf(tutti.run(look, null))).toMatchObject({
    code: "POLICY_DENIED",
    message: "reading stock/apples is not allowed: apples are secret",
  });
  expect(linesOf(stage.entries)).toEqual([
    "run-started",
    "document-read /read-stock:pears",
    "policy-decided /read-stock:apples",
    "step-failed /read-stock:apples",
    "run-failed",
  ]);
});

test("a reading can't wait for people, so a rule that asks for them refuses it", verifies("G3"), async () => {
  const stage = openStage();
  const look = plainFlow("look", (run) => run.document(stock, "apples").read());
  const tutti = await stage.open([look], { policy: toHouse(needs) });
  expect((await errorOf(tutti.run(look, null))).message).toContain("a reading can't wait for people");
  expect(await tutti.approvals.list()).toEqual([]);
});

test("neither a peek, nor a transaction, nor a write reads what may not be read", verifies("G3"), async () => {
  const stage = openStage();
  const peek = plainFlow("peek", (run) => run.document(stock, "apples").peek());
  const within = plainFlow("within", (run) => run.transact((tx) => tx.document(stock, "apples").read()));
  const write = plainFlow("write", (run) => run.document(stock, "apples").write({ left: 1 }));
  const tutti = await stage.open([peek, within, write], { policy: toHouse(denied) });
  for (const flow of [peek, within, write])
    expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "POLICY_DENIED" });
  expect(await tutti.documents.list()).toEqual([]);
});

test(
  "a reading that was refused is refused again on replay, whatever the policy says now",
  verifies("G3"),
  async () => {
    const stage = openStage();
    const look = plainFlow("look", async (run) => {
      const refused = await run
        .document(stock, "apples")
        .read()
        .catch(() => "refused");
      await run.approve("Go on?");
      return refused;
    });
    const first = await stage.open([look], { policy: toHouse(denied) });
    await (await first.start(look, null, { id: "r" })).settled();
    const [approval] = await first.approvals.list();
    await first.close();
    const again = await stage.open([look], { policy: toHouse({ kind: "allow", rules: ["all"] }) });
    const { id = "", package: saw = "" } = approval ?? {};
    await again.approvals.decide(id, { by: "ann", saw, verdict: "approve" });
    expect(await (await again.open("r")).result()).toBe("refused");
  },
);
