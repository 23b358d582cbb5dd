import { once } from "node:events";

import type { Model, ModelRequest } from "tutti";
import { ruleModel, type Rule } from "tutti/models";
import { z } from "zod";

import { AdviserInput, ScoutInput } from "./research.ts";
import { Place, type Advice, type Finding } from "./shapes.ts";

/** A question to the model, as it was asked. */
export interface Asked {
  readonly run: string;
  readonly agent: string;
  /** What people had said by then. */
  readonly constraints: readonly string[];
  /** The engine took it back before there was an answer. */
  wasStopped: boolean;
}

export interface Thinker {
  readonly model: Model;
  /** Every question, in order. */
  readonly asked: readonly Asked[];
  /** Resolves when the model thinks about this place, and lets it think on until `goOn` is called or the question is stopped. */
  interruptAt(place: string): Promise<{ readonly goOn: () => void }>;
}

/** A model that thinks by rules and hears what people say; where it is interrupted it takes as long as one likes. */
export function openThinker(): Thinker {
  const model = ruleModel({ scout, adviser });
  const asked: Asked[] = [];
  const interruptions = new Map<string, (goOn: () => void) => void>();
  return {
    asked,
    interruptAt: (place) => new Promise((resolve) => interruptions.set(place, (goOn) => resolve({ goOn }))),
    model: {
      provider: "offline",
      id: "thinker-1",
      worstCase: () => ({ tokens: 0, costUsd: 0 }),
      async generate(request, signal) {
        const constraints = readConstraints(request);
        const question = { run: request.hints?.run ?? "", agent: request.answer.name, constraints, wasStopped: false };
        asked.push(question);
        const looked = request.messages.findLast((message) => message.role === "tool");
        const place = Place.safeParse(looked?.result).data?.place ?? "";
        const tell = interruptions.get(place);
        interruptions.delete(place);
        if (tell !== undefined) {
          const gate = Promise.withResolvers<void>();
          tell(gate.resolve);
          await Promise.race([gate.promise, once(signal, "abort")]);
          question.wasStopped = signal.aborted;
        }
        return model.generate(withConstraints(request, constraints), signal);
      },
    },
  };
}

const eu = new Set(
  ["AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"].concat([
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
  ]),
);
const Told = z.object({ constraints: z.array(z.string()) });

/** Whether a place is one that people allow. It understands one thing that they may say. */
function isAllowed({ country }: Place, constraints: readonly string[]): boolean {
  return !constraints.includes("EU only") || eu.has(country);
}

const scout: Rule = ({ input, results }) => {
  const { place, constraints } = ScoutInput.extend(Told.shape).parse(input);
  const [looked] = results;
  if (looked === undefined) return { calls: [{ tool: "place.look-up", input: { place } }] };
  const found = Place.parse(looked.result);
  const costs = isAllowed(found, constraints) ? found.rent + found.wages : null;
  return { answer: { place, costs } satisfies Finding };
};

const adviser: Rule = ({ input }) => {
  const { findings, constraints } = AdviserInput.extend(Told.shape).parse(input);
  const possible = findings.flatMap(({ place, costs }) => (costs === null ? [] : [{ place, costs }]));
  const [best] = possible.toSorted((left, right) => left.costs - right.costs);
  const advice: Advice = {
    place: best?.place ?? null,
    why: best === undefined ? "no place is left" : `${best.costs} euros a year, the least of ${possible.length}`,
    passedOver: findings.filter(({ costs }) => costs === null).map(({ place }) => place),
    under: constraints,
  };
  return { answer: advice };
};

/** What people want kept stands in the last message, a line each. */
function readConstraints({ messages }: ModelRequest): string[] {
  const last = messages.at(-1);
  const text = last?.role === "user" ? last.text : "";
  const kept = /What must be kept:\n((?:- .*\n?)+)/u.exec(text)?.[1] ?? "";
  return [...kept.matchAll(/^- (.*)$/gmu)].map(([, line = ""]) => line);
}

/** The agent's input with what it was told, in one: what the rules work on. */
function withConstraints(request: ModelRequest, constraints: readonly string[]): ModelRequest {
  const task = request.messages.find((message) => message.role === "user")?.text ?? "";
  const input = z.record(z.string(), z.unknown()).parse(JSON.parse(/\{[\s\S]*\}/u.exec(task)?.[0] ?? "{}"));
  const told = { role: "user" as const, text: JSON.stringify({ ...input, constraints }) };
  return { ...request, messages: [told, ...request.messages.filter(({ role }) => role !== "user")] };
}
