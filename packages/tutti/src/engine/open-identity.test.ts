import { existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished, expect, test } from "vitest";
import { z } from "zod";

import {
  errorOf,
  linesOf,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { isTuttiError, TuttiError } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import { toAgentId, type Capability } from "../contracts/capability.ts";
import type { Agent, Run } from "../contracts/run.ts";
import { openCapabilityUses } from "../identity/capability-uses.ts";
import { verifyCapability, type ExpectedCapability } from "../identity/verify-capability.ts";
import { team } from "../teams/team.ts";
import { tool, type ToolDefinition } from "../tools/tool.ts";
import { openTutti } from "./open-tutti.ts";
import type { Tutti } from "./tutti.ts";

const Mail = z.object({ to: z.string() });
type Mail = z.infer<typeof Mail>;

/** A server of mailboxes that trusts an engine: it does what a capability allows, for whoever owns the box. */
async function openMailboxes() {
  const sent: Capability[] = [];
  const uses = openCapabilityUses();
  let trusted: Pick<ExpectedCapability, "keys" | "confirm" | "clock"> | undefined;
  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
      const { input, owner }: { input: Mail; owner?: string } = JSON.parse(body);
      const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
      try {
        if (trusted === undefined) throw new TuttiError("BUG", "the server trusts nobody yet");
        const asked = { audience: "mail.send", input, uses, ...trusted };
        sent.push(await verifyCapability(token, owner === undefined ? asked : { ...asked, actsFor: owner }));
        response.end(JSON.stringify({ receipt: input.to }));
      } catch (error) {
        response.writeHead(403).end(JSON.stringify({ code: isTuttiError(error) ? error.code : String(error) }));
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has such an address
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const send = async (token: string, input: Mail, owner?: string): Promise<{ receipt?: string; code?: string }> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ input, owner }) });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the server above
    return (await answer.json()) as { receipt?: string; code?: string };
  };
  const trust = (tutti: Tutti, clock?: ExpectedCapability["clock"]): void => {
    trusted = {
      keys: () => tutti.identity.keys(),
      confirm: tutti.identity.confirm,
      ...(clock === undefined ? {} : { clock }),
    };
  };
  return { sent, send, trust };
}

type Mailboxes = Awaited<ReturnType<typeof openMailboxes>>;

function toMail(boxes: Mailboxes, change: Partial<ToolDefinition<Mail, unknown>> = {}): Tool<Mail> {
  return tool<Mail, unknown>({
    name: "mail.send",
    does: "Sends a mail.",
    input: Mail,
    output: z.unknown(),
    effect: "once",
    run: async (input, host) => boxes.send(await host.capability(), input, "ann"),
    ...change,
  });
}

function toClerk(how: (run: Run) => Promise<unknown>, name = "clerk"): Agent {
  return team({
    name,
    does: "Works.",
    input: z.unknown(),
    output: z.unknown(),
    members: [plainFlow("unused", async () => null)],
    how: async (run) => ({ output: await how(run) }),
  });
}

test(
  "a server does what an agent asks for with its capability, and knows who asks for whom",
  verifies("G9"),
  async () => {
    const stage = openStage();
    const boxes = await openMailboxes();
    const mail = toMail(boxes);
    const clerk = toClerk((run) => run.call(mail, { to: "carl" }));
    const chief = toClerk((run) => run.call(clerk, null), "chief");
    const send = plainFlow("send", (run) => run.call(chief, null));
    const identity = { trustDomain: "agents.example" };
    const tutti = await stage.open([send], { identity, grants: { "*": { autonomyMax: 3, lifetimeMs: 30_000 } } });
    boxes.trust(tutti, stage.clock);
    // The server trusts another domain than the engine's.
    expect(await tutti.run(send, null, { id: "r", by: "ann" })).toEqual({ code: "CAPABILITY_INVALID" });
    const own = await stage.open([send], { grants: { "*": { autonomyMax: 3, lifetimeMs: 30_000 } } });
    boxes.trust(own, stage.clock);
    expect(await own.run(send, null, { id: "s", by: "ann" })).toEqual({ receipt: "carl" });
    expect(boxes.sent).toMatchObject([
      {
        actsFor: "ann",
        agents: [chief, clerk].map(({ name, version }) => toAgentId("tutti.local", `${name}@${version}`)),
        run: "s",
        step: "/chief/clerk/mail.send",
        use: "run",
        autonomyMax: 3,
      },
    ]);
    const [one] = boxes.sent;
    expect((one?.expiresAt ?? 0) - (one?.issuedAt ?? 0)).toBeLessThanOrEqual(30_000);
  },
);

test("what a tool does for one person gives no access to the things of another", verifies("G9"), async () => {
  const stage = openStage();
  const boxes = await openMailboxes();
  const mail = toMail(boxes);
  const send = plainFlow("send", (run) => run.call(mail, { to: "carl" }));
  const tutti = await stage.open([send]);
  boxes.trust(tutti, stage.clock);
  expect(await tutti.run(send, null, { by: "bert" })).toEqual({ code: "CAPABILITY_MISPLACED" });
  expect(await tutti.run(send, null)).toEqual({ code: "CAPABILITY_MISPLACED" });
  expect(boxes.sent).toEqual([]);
});

test("a capability counts once, for its own action, and not after its effect is done", verifies("G9"), async () => {
  const stage = openStage();
  const boxes = await openMailboxes();
  let token = "";
  const mail = toMail(boxes, {
    async run(input, host) {
      token = await host.capability();
      expect(await host.capability()).toBe(token);
      return [
        await boxes.send(token, { to: "everybody" }),
        await boxes.send(token, input),
        await boxes.send(token, input),
      ];
    },
  });
  const send = plainFlow("send", (run) => run.call(mail, { to: "carl" }));
  const tutti = await stage.open([send]);
  boxes.trust(tutti, stage.clock);
  expect(await tutti.run(send, null)).toEqual([
    { code: "CAPABILITY_MISPLACED" },
    { receipt: "carl" },
    { code: "CAPABILITY_USED" },
  ]);
  // Also where nobody remembers its use: the effect is settled.
  const expected = {
    audience: "mail.send",
    input: { to: "carl" },
    keys: await tutti.identity.keys(),
    clock: stage.clock,
  };
  const late = { ...expected, uses: openCapabilityUses(), confirm: tutti.identity.confirm };
  expect(await errorOf(verifyCapability(token, late))).toMatchObject({ code: "CAPABILITY_REVOKED" });
  const open = plainFlow("open", async (run) => [await run.call(mail, { to: "dora" }), await run.wait("go")]);
  const second = await stage.open([open]);
  boxes.trust(second, stage.clock);
  await (await second.start(open, null, { id: "o" })).settled();
  await until(() => boxes.sent.length === 2);
  const after = {
    ...late,
    input: { to: "dora" },
    keys: await second.identity.keys(),
    confirm: second.identity.confirm,
  };
  const done = await errorOf(verifyCapability(token, after));
  expect(done).toMatchObject({ code: "CAPABILITY_USED" });
  expect(done.message).toContain("settled");
});

test.each([
  ["its run", { reach: "run", name: "r" }],
  ["its agent", { reach: "agent", name: "clerk" }],
  ["everything", { reach: "all" }],
] as const)(
  "when %s is frozen, what was handed out counts no more, and no more is handed out",
  verifies("G9"),
  async (_what, target) => {
    const stage = openStage();
    const boxes = await openMailboxes();
    const mail = toMail(boxes, {
      async run(input, host) {
        const before = await host.capability();
        await tutti.freeze(target, { by: "zoe" });
        return boxes.send(before, input);
      },
    });
    const later = toMail(boxes, {
      name: "mail.later",
      async run(_input, host) {
        await tutti.freeze(target.reach === "run" ? { ...target, name: "r2" } : target, { by: "zoe" });
        return host.capability().catch((error: unknown) => (isTuttiError(error) ? error.code : error));
      },
    });
    const clerk = toClerk((run) => run.call(mail, { to: "carl" }));
    const other = toClerk((run) => run.call(later, { to: "carl" }));
    const send = plainFlow("send", (run) => run.call(clerk, null));
    const ask = plainFlow("ask", (run) => run.call(other, null));
    const tutti = await stage.open([send, ask]);
    boxes.trust(tutti, stage.clock);
    expect(await tutti.run(send, null, { id: "r" })).toEqual({ code: "CAPABILITY_REVOKED" });
    await tutti.unfreeze(target, { by: "zoe" });
    expect(await tutti.run(ask, null, { id: "r2" })).toBe("CAPABILITY_REVOKED");
    expect(boxes.sent).toEqual([]);
  },
);

test("what is asked and taken back later has a capability of its own kind", verifies("G9"), async () => {
  const stage = openStage();
  const boxes = await openMailboxes();
  const shown: [string, Capability][] = [];
  const read = async (kind: "run" | "check" | "undo", token: string): Promise<void> => {
    const keys = await tutti.identity.keys();
    const expected = { audience: "mail.send", input: { to: "carl" }, keys, use: kind, uses: openCapabilityUses() };
    shown.push([
      kind,
      await verifyCapability(token, { ...expected, confirm: tutti.identity.confirm, clock: stage.clock }),
    ]);
  };
  const mail = toMail(boxes, {
    async run(_input, host) {
      await read("run", await host.capability());
      throw new TuttiError("TOOL_INTERRUPTED", "the line broke");
    },
    async check(_input, host) {
      await read("check", await host.capability());
      return { receipt: "carl" };
    },
    undo: async (_output, host) => read("undo", await host.capability()),
  });
  const send = plainFlow(
    "send",
    async (run) => {
      await run.call(mail, { to: "carl" });
      throw new Error("it went wrong");
    },
    { onFailure: "undo" },
  );
  const tutti = await stage.open([send], { grants: { "*": { lifetimeMs: 10_000 } } });
  await errorOf(tutti.run(send, null, { by: "ann" }));
  expect(shown.map(([kind]) => kind)).toEqual(["run", "check", "undo"]);
  expect(new Set(shown.map(([, { id }]) => id)).size).toBe(3);
});

test(
  "nothing is loaded and no key is made before the first capability; then it lies beside the ledger",
  verifies("G9"),
  async () => {
    const ledger = await makeLedgerFile();
    let token = "";
    const look = tool({
      name: "look",
      does: "Looks.",
      input: z.null(),
      output: z.number(),
      effect: "read",
      async run(_input, host) {
        token = await host.capability();
        return 7;
      },
    });
    const idle = plainFlow("idle", async () => 1);
    const see = plainFlow("see", (run) => run.call(look, null));
    const tutti = await openTutti({ flows: [idle, see], ledger, control: false });
    onTestFinished(() => tutti.close());
    await tutti.run(idle, null);
    expect(existsSync(`${ledger}-keys.json`)).toBe(false);
    await tutti.run(see, null, { id: "r" });
    expect(statSync(`${ledger}-keys.json`).mode & 0o777).toBe(0o600);
    const entries = await (await tutti.open("r")).entries();
    expect(linesOf(entries)).toEqual(["run-started", "step-done /look", "run-done"]);
    expect(JSON.stringify(entries)).not.toContain(token);
    const expected = { audience: "look", input: null, keys: await tutti.identity.keys(), uses: openCapabilityUses() };
    expect(await verifyCapability(token, expected)).toMatchObject({ class: "read", agents: [], actsFor: undefined });
    await tutti.identity.rotateKeys();
    expect((await tutti.identity.keys()).keys).toHaveLength(2);
  },
);
