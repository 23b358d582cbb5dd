import * as fc from "fast-check";
import { z } from "zod";

import { isTuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { Policy } from "../../packages/tutti/src/contracts/policy.ts";
import type { Agent, Flow, Run } from "../../packages/tutti/src/contracts/run.ts";
import { document } from "../../packages/tutti/src/flow/document.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { defaultPolicy } from "../../packages/tutti/src/policy/default-policy.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";

/** What a stranger wrote: one character, which no comparison of longer texts would find again. */
export const poison = "☠";

export type Part =
  | { readonly kind: "web" | "look" | "send" | "put" | "take" | "wait" | "fail" }
  | { readonly kind: "scope" | "agent" | "child"; readonly body: readonly Part[] }
  | { readonly kind: "both"; readonly left: readonly Part[]; readonly right: readonly Part[] };

export const programs: fc.Arbitrary<readonly Part[]> = fc.letrec<{ parts: readonly Part[]; part: Part }>((tie) => ({
  parts: fc.array(tie("part"), { maxLength: 4 }),
  part: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom("web", "look", "send", "send", "put", "take", "wait", "fail") }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("scope", "agent", "child"), body: tie("parts") }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("both" as const), left: tie("parts"), right: tie("parts") }),
    },
  ),
})).parts;

export interface LabelWorld {
  readonly program: Flow<Given, string>;
  /** What was sent outside. */
  readonly sent: readonly string[];
  /** How often sending was refused. */
  readonly refusals: () => number;
}

export interface Given {
  readonly parts: readonly Part[];
  readonly known: string;
}

const Known = z.object({ text: z.string() });
const Notes = document({ name: "notes", does: "Shared.", value: z.string(), initial: "" });

/** The default rules, asked for an agent that is trusted with everything, and nobody there to say yes. */
export const unattended: Policy = {
  ...defaultPolicy,
  decide(request) {
    const { principal } = request;
    const verdict = defaultPolicy.decide({
      ...request,
      principal: { kind: "agent", name: "a", version: "1", autonomy: 5, run: "run" in principal ? principal.run : "" },
    });
    return verdict.kind === "needs" ? { kind: "deny", rules: verdict.rules, why: verdict.why } : verdict;
  },
};

/** Code and agents that mix whatever they learn into whatever they do next. */
export function openLabelWorld(): LabelWorld {
  const sent: string[] = [];
  let refusals = 0;
  const base = { does: "Does.", input: Known, output: Known } as const;
  const web = tool({
    ...base,
    name: "web",
    effect: "read",
    trust: "untrusted",
    run: ({ text }) => ({ text: text.length % 2 === 0 ? poison : `${poison}!` }),
  });
  const failing = tool({
    ...base,
    name: "fail",
    effect: "read",
    trust: "untrusted",
    run() {
      throw new Error(poison);
    },
  });
  const look = tool({ ...base, name: "look", effect: "read", run: ({ text }) => ({ text: `o${text}` }) });
  const send = tool({
    ...base,
    name: "send",
    effect: "once",
    scope: "step",
    run({ text }) {
      sent.push(text);
      return { text };
    },
  });

  async function act(run: Run, { parts, known: before }: Given): Promise<string> {
    let known = before;
    for (const part of parts) known = shorten(await actOne(run, part, known));
    return known;
  }

  async function actOne(run: Run, part: Part, known: string): Promise<string> {
    switch (part.kind) {
      case "web":
      case "look":
        return known + (await run.call(part.kind === "web" ? web : look, { text: known })).text;
      case "fail":
        return run.call(failing, { text: known }).then(
          ({ text }) => text,
          (error: unknown) => known + (error instanceof Error ? error.message.slice(-1) : ""),
        );
      case "send":
        return trySend(run, known);
      case "put":
        await run.document(Notes, "n").change((notes) => shorten(notes + known));
        return known;
      case "take":
        return known + (await run.document(Notes, "n").read()).value;
      case "wait":
        return known + String((await run.wait<string>("go", { timeoutMs: 1_000 })) ?? "");
      case "scope":
        return run.scope("part", (inner) => act(inner, { parts: part.body, known }));
      case "agent":
        return run.call(mixer, { parts: part.body, known });
      case "child":
        return run.call(program, { parts: part.body, known });
      case "both": {
        const { left, right } = part;
        const shared: string[] = [];
        const branch = async (name: string, own: readonly Part[]): Promise<string> =>
          run.scope(name, async (inner) => {
            const text = await act(inner, { parts: own, known });
            shared.push(text); // the other branch may see it, as code that shares a variable does
            await trySend(inner, shared.join(""));
            return shared.join("");
          });
        return (await Promise.all([branch("left", left), branch("right", right)])).join("");
      }
    }
  }

  async function trySend(run: Run, known: string): Promise<string> {
    try {
      await run.call(send, { text: known });
    } catch (error) {
      if (!isTuttiError(error) || !notSent.has(error.code)) throw error;
      if (error.code === "POLICY_DENIED") refusals++;
    }
    return known;
  }

  const mixer: Agent<Given, string> = {
    kind: "agent",
    name: "mixer",
    version: "1",
    does: "Mixes.",
    input: z.custom<Given>(),
    output: z.string(),
    tools: [],
    act: async (run, given) => ({ output: await act(run, given) }),
  };
  const program: Flow<Given, string> = flow({
    name: "program",
    input: z.custom<Given>(),
    output: z.string(),
    run: act,
  });
  return { program, sent, refusals: () => refusals };
}

// What relied on an old version of a document is not sent either.
const notSent: ReadonlySet<string> = new Set(["POLICY_DENIED", "DOCUMENT_CONFLICT"]);
const knownMax = 40;

/** So that it stays short, and keeps the poison. */
function shorten(text: string): string {
  const kept = text.slice(-knownMax);
  return text.includes(poison) && !kept.includes(poison) ? poison + kept.slice(1) : kept;
}

/** True when nobody in it reads what strangers wrote. */
export function isClean(parts: readonly Part[]): boolean {
  return parts.every((part) => {
    if ("body" in part) return isClean(part.body);
    if ("left" in part) return isClean(part.left) && isClean(part.right);
    return part.kind !== "web" && part.kind !== "fail";
  });
}
