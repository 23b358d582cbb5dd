import type { Capability } from "../../packages/tutti/src/contracts/capability.ts";
import { toEffectKey, toRunId, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import { digestOf } from "../../packages/tutti/src/flow/effect-key.ts";

export const mailInput = { to: "anna" };

/** What an engine would sign for a mail of ann's, sent by an agent at the given time. */
export function toCapability(now: number, change: Partial<Capability> = {}): Capability {
  return {
    id: "c1",
    actsFor: "ann",
    agents: ["spiffe://tutti.local/agent/clerk/v/1f0c"],
    run: toRunId("r1"),
    step: toStepKey("/mail.send"),
    tool: "mail.send",
    class: "once",
    use: "run",
    digest: digestOf(mailInput),
    effect: toEffectKey("mail.send@r1:anna"),
    directive: 0,
    autonomyMax: 5,
    issuedAt: now,
    expiresAt: now + 60_000,
    ...change,
  };
}
