import { isTuttiError, TuttiError } from "../base/errors.ts";
import { findJson } from "../base/json-in-text.ts";
import type { Model, ModelReply, ModelRequest } from "../contracts/model.ts";
import { addUsage, noUsage } from "../contracts/outcome.ts";
import { spentOn, toSpentFacts } from "../contracts/spent.ts";
import { nameOf, passOver, toPassable, toWholeReply, type Before } from "./ask-next.ts";
import { findMisfit } from "./schema-fit.ts";
import { tellWhole } from "./whole-reply.ts";
import { addWorstCases } from "./worst-case.ts";

export interface CascadeOptions {
  /** Asked first: the cheap one. */
  readonly first: Model;
  /** Asked when the first one's answer will not do: the strong one. */
  readonly stronger: Model;
  /** A check of your own, after the ones that are always made. */
  readonly accept?: (reply: ModelReply, request: ModelRequest) => boolean | Promise<boolean>;
  /** An answer that is less sure than this, in [0, 1], will not do, and neither will one that says nothing of it. */
  readonly confidenceMin?: number;
  /** Reads the model's own word on how sure it is from its answer; without it the probabilities that a provider tells count. */
  readonly ownWord?: (answer: unknown) => number | undefined;
}

/**
 * A cheap model first, a stronger one when the first answer will not do: it can't be had, is not JSON for the wanted schema, calls a tool that
 * is not there or with an input that does not fit, is not sure enough, or fails your own check. Both are paid, and the usage says so.
 * @throws TuttiError what `stronger` throws, with what the first one cost in its facts
 */
export function cascade(options: CascadeOptions): Model {
  const { first, stronger, confidenceMin } = options;
  if (confidenceMin !== undefined && !(confidenceMin >= 0 && confidenceMin <= 1)) {
    throw new TuttiError("DEFINITION_INVALID", `a cascade's confidenceMin is ${confidenceMin}`, {
      hint: "Give a number from 0 to 1.",
    });
  }
  return {
    provider: "cascade",
    id: `${nameOf(first)} > ${nameOf(stronger)}`,
    worstCase: (request) => addWorstCases([first, stronger], request),
    async generate(request, signal, watch) {
      const tried = await tryFirst(options, request, signal);
      if (tried.kind === "answered") {
        if (watch !== undefined) tellWhole(tried.reply, watch);
        return tried.reply;
      }
      try {
        return toWholeReply(tried.before, stronger, await stronger.generate(request, signal, watch));
      } catch (thrown) {
        throw withSpent(thrown, tried.before);
      }
    },
  };
}

type Tried =
  | { readonly kind: "answered"; readonly reply: ModelReply }
  | { readonly kind: "passed"; readonly before: Before };

// Not watched: what is thrown away should not be seen as if it were the answer.
async function tryFirst(options: CascadeOptions, request: ModelRequest, signal: AbortSignal): Promise<Tried> {
  const { first } = options;
  const nothing: Before = { spent: noUsage, passedOver: [] };
  try {
    const reply = await first.generate(request, signal);
    const fault = await findFault(options, request, reply);
    if (fault === undefined) return { kind: "answered", reply: toWholeReply(nothing, first, reply) };
    const passed = { model: nameOf(first), code: "MODEL_ANSWER_INVALID", why: fault } as const;
    return { kind: "passed", before: { spent: reply.usage, passedOver: [...(reply.passedOver ?? []), passed] } };
  } catch (thrown) {
    const error = toPassable(thrown, signal);
    if (error === undefined) throw thrown;
    return { kind: "passed", before: passOver(nothing, first, error) };
  }
}

async function findFault(
  { accept, confidenceMin, ownWord }: CascadeOptions,
  request: ModelRequest,
  reply: ModelReply,
): Promise<string | undefined> {
  const fault = reply.toolCalls.length > 0 ? findCallFault(request, reply) : findAnswerFault(request, reply);
  if (fault !== undefined) return fault;
  if (confidenceMin !== undefined && reply.toolCalls.length === 0) {
    const sure = ownWord?.(findJson(reply.text)?.value) ?? reply.confidence?.value;
    if (sure === undefined) return "it does not say how sure it is";
    if (!(sure >= confidenceMin)) return `it is ${sure.toFixed(2)} sure, and ${confidenceMin} is wanted`;
  }
  if (accept !== undefined && !(await accept(reply, request))) return "it was not accepted";
  return undefined;
}

function findAnswerFault({ answer }: ModelRequest, { text }: ModelReply): string | undefined {
  const found = findJson(text);
  return found === undefined ? "the answer is not JSON" : findMisfit(answer.schema, found.value);
}

function findCallFault({ tools }: ModelRequest, { toolCalls }: ModelReply): string | undefined {
  for (const call of toolCalls) {
    const tool = tools.find(({ name }) => name === call.tool);
    if (tool === undefined) return `it calls ${JSON.stringify(call.tool)}, which is not there`;
    const misfit = findMisfit(tool.input, call.input, `the input of ${call.tool}`);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

function withSpent(thrown: unknown, { spent, passedOver }: Before): unknown {
  if (!isTuttiError(thrown) || !thrown.code.startsWith("MODEL_")) return thrown;
  const { code, message, hint, facts, effect, retryAfterMs } = thrown;
  return new TuttiError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    effect,
    facts: {
      ...facts,
      ...toSpentFacts(addUsage(spent, spentOn(thrown))),
      passedOver: passedOver.map(({ model, code: failed }) => `${model} ${failed}`),
    },
    cause: thrown,
  });
}
