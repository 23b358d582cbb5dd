import { expect, test } from "vitest";

import { defaultPolicy } from "../../packages/tutti/src/policy/default-policy.ts";
import { decisionsOf, errorOf, openStage, plainFlow } from "../engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../engine/world-fixture.ts";
import { verifies } from "../verifies.ts";
import { vote } from "./approval-fixture.ts";

test(
  "under the default policy what changes something outside waits for a person, and then is allowed",
  verifies("G3", "G4"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const flow = plainFlow("f", (run) => run.call(toMailTool(office), { to: "anna" }));
    const tutti = await stage.open([flow], { policy: defaultPolicy });
    const handle = await tutti.start(flow, null);
    expect(await handle.settled()).toMatchObject({ kind: "asking" });
    await vote(tutti, "ann");
    await handle.result();
    expect(office.sent).toEqual(["anna"]);
    expect(decisionsOf(stage.entries).map(({ verdict }) => verdict)).toMatchObject([
      { kind: "needs", rules: ["effects-ask"] },
      { kind: "allow", rules: ["people-approve"] },
      { kind: "allow", rules: ["effects-ask"] },
    ]);
    const refused = await tutti.start(flow, null);
    await refused.settled();
    // The same effect again is shared, but only after a yes of its own.
    await vote(tutti, "ann", { verdict: "reject", reason: "once is enough" });
    expect(await errorOf(refused.result())).toMatchObject({ code: "APPROVAL_REJECTED" });
  },
);
