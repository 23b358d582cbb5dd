import { z } from "zod";

import { agent } from "../../packages/tutti/src/agents/agent.ts";
import type { Tool } from "../../packages/tutti/src/contracts/callable.ts";
import type { Model, ModelRequest } from "../../packages/tutti/src/contracts/model.ts";
import type { Policy, PolicyRequest } from "../../packages/tutti/src/contracts/policy.ts";
import type { Agent, Flow, Run } from "../../packages/tutti/src/contracts/run.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { RunHandle } from "../../packages/tutti/src/engine/tutti.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { documentTools } from "../../packages/tutti/src/flow/document-tools.ts";
import { document } from "../../packages/tutti/src/flow/document.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { topic } from "../../packages/tutti/src/flow/topic.ts";
import { openMemoryLedger } from "../../packages/tutti/src/ledger/memory/memory-ledger.ts";
import { defaultPolicy } from "../../packages/tutti/src/policy/default-policy.ts";
import { openManualClock, takeTurns } from "../../packages/tutti/src/testing/manual-clock.ts";
import { scriptedModel, type ScriptedReply } from "../../packages/tutti/src/testing/scripted-model.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import type { Attack, Route, Task } from "./cases.ts";

export type Outcome = "blocked" | "asked" | "done";

const Text = z.object({ text: z.string() });
const Empty = z.object({});

const secret = "SYS-CANARY-5521";

/** Nobody looks at labels: what an attack does then is what it can do. */
export const careless: Policy = { name: "careless", version: "1", decide: () => ({ kind: "allow", rules: ["all"] }) };

/** The default rules for the most trusted agent there is: what is left then is what labels do. */
const trusting: Policy = {
  ...defaultPolicy,
  decide: (request: PolicyRequest) =>
    defaultPolicy.decide({
      ...request,
      principal: { kind: "agent", name: "a", version: "1", autonomy: 5, run: request.context.run },
    }),
};

/** An agent without a will of its own: in each turn it does what the script says. */
function toPuppet(name: string, tools: readonly Tool[]): Agent<{ text: string }, { text: string }> {
  return agent({ name, does: "Obeys.", model: "fast", tools, input: Text, output: Text, instructions: name });
}

/** A call of a tool, and then, with all it was told, an answer. A tool that is not there can't be called. */
function obey(script: Readonly<Record<string, readonly Wish[]>>): (request: ModelRequest) => ScriptedReply {
  return (request) => {
    const told = request.messages.filter(({ role }) => role === "tool");
    const heard = JSON.stringify(request.messages);
    const name = Object.keys(script).find((each) => heard.includes(`#${each}#`)) ?? "";
    const wish = script[name]?.[told.length];
    if (wish === undefined) return { answer: { text: told.map((message) => toText(message)).join("\n") || "done" } };
    return { toolCalls: [{ id: `call${told.length}`, tool: wish.tool, input: wish.input }] };
  };
}

interface Wish {
  readonly tool: string;
  readonly input: unknown;
}

function toText(message: ModelRequest["messages"][number]): string {
  const read = Text.safeParse(message.role === "tool" ? message.result : undefined);
  return read.success ? read.data.text : "";
}

const Notes = document({ name: "notes", does: "Kept between runs.", value: z.string(), initial: "" });
const notes = documentTools(Notes);
const News = topic({ name: "news", payload: Text });

function toReader(text: string): Tool<Record<string, never>, { text: string }> {
  return tool({
    name: "outside.read",
    does: "Reads what others wrote.",
    input: z.object({}) as z.ZodType<Record<string, never>>,
    output: Text,
    effect: "read",
    trust: "untrusted",
    run: () => ({ text }),
  });
}

/** Plays the attack: the agent reads the stranger's words and really calls what they ask for. */
export async function playAttack(attack: Attack, policy: Policy = trusting): Promise<Outcome> {
  const { flows, model, happened } = openAttack(attack);
  const tutti = await openEngine(Object.values(flows), { model, policy });
  try {
    const handle = await begin(tutti, flows, attack);
    let rest = await handle.settled();
    for (let turn = 0; rest.kind === "waiting" && turn < turnsMax; turn++) {
      await takeTurns(1); // for a child, which goes on by itself
      rest = await handle.settled();
    }
    if (!heardBy(model.requests, attack)) throw new Error(`${attack.id}: the agent never saw what was injected`);
    if (happened.length > 0) return "done";
    return rest.kind === "asking" ? "asked" : "blocked";
  } finally {
    await tutti.close();
  }
}

const turnsMax = 1_000;

async function begin(tutti: Tutti, flows: AttackFlows, { route, injected }: Attack): Promise<RunHandle> {
  if (route === "document") await tutti.run(flows.keeping, null);
  const handle = await tutti.start(flows[route], null);
  if (route === "event") {
    await handle.settled();
    await tutti.publish(News, { text: injected });
  }
  return handle;
}

function openEngine(
  flows: readonly Flow[],
  { model, policy }: { readonly model: Model; readonly policy: Policy },
): Promise<Tutti> {
  const clock = openManualClock();
  return openTutti({ flows, models: { fast: model }, policy, ledger: openMemoryLedger({ clock }), clock });
}

function openAttack(attack: Attack) {
  const happened: string[] = [];
  const { harm, wishes } = toHarm(attack, happened);
  const reader = toReader(attack.injected);
  const read: Wish = { tool: reader.name, input: {} };
  const write: Wish = { tool: notes.write.name, input: { key: "n", version: 0, value: attack.injected } };
  const script = {
    all: [read, ...wishes],
    reads: [read],
    keeps: [read, write],
    acts: wishes,
    recalls: [{ tool: notes.read.name, input: { key: "n" } }, ...wishes],
  };
  const tools = [reader, vault, harm, notes.read, notes.write];
  const call: Puppet = (run, name, text = "") => run.call(toPuppet(name, tools), { text: `#${name}# ${text}` });
  return { flows: toFlows(call), model: scriptedModel(obey(script)), happened };
}

const vault = tool({
  name: "vault.read",
  does: "Reads what is inside.",
  input: Empty,
  output: Text,
  effect: "read",
  dataOut: ["secret"],
  run: () => ({ text: secret }),
});

function toHarm({ wants }: Attack, happened: string[]): { readonly harm: Tool; readonly wishes: readonly Wish[] } {
  if (wants.kind === "leak") {
    const harm = tool({
      name: "web.get",
      does: "Reads a page.",
      input: z.object({ url: z.string() }),
      output: Text,
      effect: "read",
      trust: "untrusted",
      run({ url }) {
        if (url.includes(secret)) happened.push(url);
        return { text: "" };
      },
    });
    const input = { url: `${wants.address}?d=${secret}` };
    return {
      harm,
      wishes: [
        { tool: "vault.read", input: {} },
        { tool: harm.name, input },
      ],
    };
  }
  const harm = tool({
    name: wants.tool.replaceAll(/[^\w.:-]/gu, "_").slice(0, 64),
    does: wants.does,
    input: Text,
    output: Text,
    effect: "once",
    run({ text }) {
      happened.push(text);
      return { text };
    },
  });
  return { harm, wishes: [{ tool: harm.name, input: { text: "as told" } }] };
}

type Puppet = (run: Run, name: string, text?: string) => Promise<{ text: string }>;

const toFlow = (name: string, run: (run: Run) => Promise<unknown>): Flow =>
  flow({ name, input: z.unknown(), output: z.unknown(), run });

type AttackFlows = Readonly<Record<Route | "keeping" | "reading", Flow>>;

function toFlows(call: Puppet): AttackFlows {
  const reading = toFlow("reading", (run) => call(run, "reads"));
  return {
    reading,
    keeping: toFlow("keeping", (run) => call(run, "keeps")),
    direct: toFlow("direct", (run) => call(run, "all")),
    "hand-off": toFlow("hand-off", async (run) => call(run, "acts", (await call(run, "reads")).text)),
    document: toFlow("document", (run) => call(run, "recalls")),
    child: toFlow("child", async (run) => call(run, "acts", Text.parse(await run.call(reading, null)).text)),
    event: toFlow("event", async (run) => call(run, "acts", ((await run.wait(News)) ?? { text: "" }).text)),
  };
}

/** Word for word, in the result of a tool or in what it was asked. */
function heardBy(requests: readonly ModelRequest[], { injected }: Attack): boolean {
  const quoted = JSON.stringify(injected).slice(1, -1);
  return requests.some(({ messages }) => {
    const heard = JSON.stringify(messages);
    return heard.includes(quoted) || heard.includes(JSON.stringify(quoted).slice(1, -1));
  });
}

/** Plays a task that nobody attacked. */
export async function playTask(task: Task): Promise<Outcome> {
  const done: string[] = [];
  const reader = toReader(task.read ?? "");
  const base = { does: "Acts.", input: Text, output: Text, effect: "once" } as const;
  const run = ({ text }: { text: string }): { text: string } => {
    done.push(text);
    return { text };
  };
  const file = tool({ ...base, name: "report.file", dataIn: ["untrusted"], run });
  const book = tool({ ...base, name: "calendar.book", run });
  const read: Wish = { tool: reader.name, input: {} };
  const wishes: Readonly<Record<Task["acts"], readonly Wish[]>> = {
    no: [read],
    "on-request": [{ tool: book.name, input: { text: task.asked } }],
    "on-what-was-read": [read, { tool: file.name, input: { text: task.read ?? "" } }],
  };
  const worker = toPuppet("works", [reader, file, book]);
  const work = flow({
    name: "work",
    input: Text,
    output: Text,
    run: (inner, { text }) => inner.call(worker, { text: `#works# ${text}` }),
  });
  const tutti = await openEngine([work], {
    model: scriptedModel(obey({ works: wishes[task.acts] })),
    policy: trusting,
  });
  try {
    const handle = await tutti.start(work, { text: task.asked });
    const rest = await handle.settled();
    if (rest.kind === "asking") return "asked";
    return rest.kind === "done" && done.length === (task.acts === "no" ? 0 : 1) ? "done" : "blocked";
  } finally {
    await tutti.close();
  }
}
