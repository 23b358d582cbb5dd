import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { bodyOf, type BodyOf, type RecordKind } from "../../packages/tutti/src/contracts/entry.ts";
import type { ModelRequest } from "../../packages/tutti/src/contracts/model.ts";
import type { Agent } from "../../packages/tutti/src/contracts/run.ts";
import {
  scriptedModel,
  type ScriptedModel,
  type ScriptedReply,
} from "../../packages/tutti/src/testing/scripted-model.ts";
import { toScholar, type Answered, type Asked, type ScholarDefinition } from "../agents/agent-fixture.ts";

/** Agents that are alike but for their names. */
export function toScholars(...names: readonly string[]): readonly Agent<Asked, Answered>[] {
  return names.map((name) => toScholar({ name }));
}

export function toNamed(name: string, change: Partial<ScholarDefinition> = {}): Agent<Asked, Answered> {
  return toScholar({ name, ...change });
}

/** Who asks, by the role that the request begins with. */
export function askerOf(request: ModelRequest): string {
  return (
    /^You are (?<name>[\w.-]+)\./u.exec(request.messages[0]?.role === "system" ? request.messages[0].text : "")
      ?.groups?.["name"] ?? ""
  );
}

/** What the last message says. */
export function wordsOf(request: ModelRequest): string {
  const last = request.messages.at(-1);
  return last !== undefined && "text" in last ? last.text : "";
}

type Saying = ScriptedReply | ((request: ModelRequest) => ScriptedReply);

/** A model that gives each agent its own answer, whatever the order in which they ask. */
export function modelOf(sayings: Readonly<Record<string, Saying>>): ScriptedModel {
  return scriptedModel((request) => {
    const said = sayings[askerOf(request)];
    if (said === undefined) return { error: new Error(`nobody told ${askerOf(request)} what to say`) };
    return typeof said === "function" ? said(request) : said;
  });
}

export function says(answer: string): ScriptedReply {
  return { answer: { answer } };
}

/** The bodies of what was written down of a kind, in order. */
export function recordsOf<Kind extends RecordKind>(entries: readonly LedgerEntry[], kind: Kind): BodyOf<Kind>[] {
  return entries.filter((entry) => entry.kind === kind).map((entry) => bodyOf(entry, kind));
}
