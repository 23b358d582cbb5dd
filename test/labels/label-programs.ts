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

type Telling = "at once" | "when it has closed";

/** Code and agents that mix whatever they learn into whatever they do next. */
export class LabelWorld {
  /**
   * When a branch tells another what it knows. What it tells from inside is gone where code runs again after it has closed: a closed scope is
   * one record.
   */
  private readonly tells: Telling;
  /** What was sent outside. */
  readonly sent: string[] = [];
  /** How often sending was refused. */
  refusals = 0;
  readonly program: Flow<Given, string> = flow({
    name: "program",
    input: z.custom<Given>(),
    output: z.string(),
    run: (run, given) => this.act(run, given),
  });
  private readonly mixer: Agent<Given, string> = {
    kind: "agent",
    name: "mixer",
    version: "1",
    does: "Mixes.",
    input: z.custom<Given>(),
    output: z.string(),
    tools: [],
    act: async (run, given) => ({ output: await this.act(run, given) }),
  };
  private readonly send = tool({
    ...base,
    name: "send",
    effect: "once",
    scope: "step",
    run: ({ text }) => {
      this.sent.push(text);
      return { text };
    },
  });

  constructor(tells: Telling) {
    this.tells = tells;
  }

  private async act(run: Run, { parts, known: before }: Given): Promise<string> {
    let known = before;
    for (const part of parts) known = shorten(await this.actOne(run, part, known));
    return known;
  }

  private async actOne(run: Run, part: Part, known: string): Promise<string> {
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
        return this.trySend(run, known);
      case "put":
        await run.document(Notes, "n").change((notes) => shorten(notes + known));
        return known;
      case "take":
        return known + (await run.document(Notes, "n").read()).value;
      case "wait":
        return known + ((await run.wait<string>("go", { timeoutMs: 1_000 })) ?? "");
      case "scope":
        return run.scope("part", (inner) => this.act(inner, { parts: part.body, known }));
      case "agent":
        return run.call(this.mixer, { parts: part.body, known });
      case "child":
        return run.call(this.program, { parts: part.body, known });
      case "both":
        return this.actBoth(run, part, known);
    }
  }

  /** Each branch may see what the other knows, as code that shares a variable does. */
  private async actBoth(run: Run, { left, right }: Part & { readonly kind: "both" }, known: string): Promise<string> {
    const shared: string[] = [];
    const branch = async (name: string, parts: readonly Part[]): Promise<string> => {
      const told = await run.scope(name, async (inner) => {
        const own = await this.act(inner, { parts, known });
        const all = [...shared, own].join("");
        if (this.tells === "at once") shared.push(own);
        return this.trySend(inner, all);
      });
      if (this.tells === "when it has closed") shared.push(told);
      return told;
    };
    return (await Promise.all([branch("left", left), branch("right", right)])).join("");
  }

  private async trySend(run: Run, known: string): Promise<string> {
    try {
      await run.call(this.send, { text: known });
    } catch (error) {
      if (!isTuttiError(error) || !notSent.has(error.code)) throw error;
      if (error.code === "POLICY_DENIED") this.refusals++;
    }
    return known;
  }
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

/** True when a run of it may be let go from memory, and its code run again. */
export function rests(parts: readonly Part[]): boolean {
  return parts.some((part) => {
    if ("body" in part) return rests(part.body);
    if ("left" in part) return rests(part.left) || rests(part.right);
    return part.kind === "wait";
  });
}
