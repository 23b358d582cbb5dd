import { TuttiError } from "../base/errors.ts";
import type { Acted, ActHost, DirectiveLook } from "../contracts/callable.ts";
import type { ModelHints, ModelMessage, ModelRequest, ToolCall } from "../contracts/model.ts";
import type { Run } from "../contracts/run.ts";
import { spentOn } from "../contracts/spent.ts";
import type { AgentHints } from "./agent-definition.ts";
import { readAnswer, type Answer } from "./answer.ts";
import { askModel, callsPerTurnMax, type RecordedReply } from "./ask-model.ts";
import { compact, openConversation, type Compaction, type Conversation } from "./compaction.ts";
import { toCoordinationContext } from "./coordination.ts";
import { isOutdated, takeDirection, toDirectionMessages } from "./direction.ts";
import { openLimits, type LimitBook, type Limits, type Turn } from "./limits.ts";
import { toDroppedMessage, toFirstMessages, toLastTurnMessage, toRepairMessage } from "./prompt.ts";
import type { StepDown } from "./step-down.ts";
import { openToolCaller, type ToolCaller } from "./tool-calls.ts";
import { openToolChoice, type Kit, type ToolChoice } from "./tool-choice.ts";

/** Everything about an agent that its turns need. */
export interface Loop {
  readonly name: string;
  readonly does: string;
  readonly tier: string;
  readonly hints: AgentHints | undefined;
  /** What the model is told of its role, whatever the call. */
  readonly roleText: string;
  /** Whether it is told what the run is for and who else is there. */
  readonly coordinates: boolean;
  readonly kit: Kit;
  readonly answer: ModelRequest["answer"];
  readonly asksConfidence: boolean;
  readonly repairsMax: number;
  readonly limits: Limits;
  readonly compaction: Compaction | undefined;
  readonly stepDown: StepDown | undefined;
}

interface Call<Input> {
  readonly input: Input;
  readonly host: ActHost;
}

/** What the turns of one call share. */
interface Course {
  readonly run: Run;
  readonly host: ActHost;
  /** What the agent is to do, in words by which tools and precedents can be found. */
  readonly task: string;
  readonly limits: LimitBook;
  readonly choice: ToolChoice;
  readonly caller: ToolCaller;
  readonly conversation: Conversation;
  /** How sure the model was of what it said last, where that is known. */
  sure: number | undefined;
}

/**
 * Asks the model, makes the calls that it wants, all of a turn at once, and asks again, until it answers. Every question to the model
 * and every call is a step of the run, so that after a crash none of them is paid or made again.
 * @throws TuttiError MODEL_ANSWER_INVALID when no answer fits after the repairs, AGENT_LIMIT when a limit is used up or it goes in circles.
 */
export async function actInTurns(loop: Loop, run: Run, call: Call<unknown>): Promise<Acted<unknown>> {
  const course = openCourse(loop, run, call);
  const { limits, conversation } = course;
  let repairs = 0;
  for (;;) {
    const direction = await takeDirection(run, call.host);
    if (direction.kind === "handed-back") return { ...direction.result, usage: limits.usage };
    const turn = limits.nextTurn();
    const reply = await askInTurn(loop, course, { turn, look: direction.look });
    if (reply === undefined) continue;
    const calls = turn.lastBy === undefined ? reply.toolCalls : [];
    conversation.push(toSaid(reply, calls));
    if (calls.length > 0) {
      conversation.pushSaid(await course.caller.call(calls));
      if (reply.dropped !== undefined) conversation.push(toDroppedMessage(reply.dropped, callsPerTurnMax));
      continue;
    }
    if (turn.lastBy !== undefined && reply.toolCalls.length > 0 && reply.text.trim() === "")
      throw limits.over(turn.lastBy);
    const answer = await readAnswer(reply, call.host, loop.asksConfidence);
    if (answer.kind === "fits") return toActed(answer, limits, reply.model);
    if (repairs >= loop.repairsMax) throw toUnusable(loop, { reply, problem: answer.problem, turn, repairs });
    if (turn.lastBy !== undefined) throw limits.over(turn.lastBy, answer.problem);
    repairs += 1;
    conversation.push(toRepairMessage(answer.problem));
  }
}

function openCourse(loop: Loop, run: Run, { input, host }: Call<unknown>): Course {
  const limits = openLimits(loop.name, loop.limits, run);
  const task = toTask(loop, input);
  const choice = openToolChoice(loop.kit, task);
  return {
    run,
    host,
    task,
    limits,
    choice,
    caller: openToolCaller(run, choice, limits),
    conversation: openConversation(toFirstMessages(loop.roleText, toContext(loop, host), input)),
    sure: undefined,
  };
}

function toContext(loop: Loop, host: ActHost): readonly string[] {
  if (!loop.coordinates) return [];
  const known = new Set([loop.name, ...loop.kit.tools.map((tool) => tool.name)]);
  return toCoordinationContext({ objective: host.objective, team: host.team(), known });
}

const taskCharactersMax = 2_000;

function toTask(loop: Loop, input: unknown): string {
  return `${loop.does}\n${JSON.stringify(input) ?? ""}`.slice(0, taskCharactersMax);
}

interface Asked {
  readonly turn: Turn;
  readonly look: DirectiveLook;
}

/** Nothing when a person gave another directive meanwhile: then the agent looks at it, and asks anew. */
async function askInTurn(loop: Loop, course: Course, { turn, look }: Asked): Promise<RecordedReply | undefined> {
  const { run, host, limits, choice, conversation, task } = course;
  const isLast = turn.lastBy !== undefined;
  if (loop.compaction !== undefined) await compact(run, { rule: loop.compaction, conversation, host, limits });
  if (turn.lastBy !== undefined && turn.number > 1 && loop.kit.tools.length > 0)
    conversation.push(toLastTurnMessage(turn.lastBy));
  const messages: readonly ModelMessage[] = [...conversation.messages, ...toDirectionMessages(look)];
  const reply = await askModel(run, {
    name: "model",
    tier: loop.tier,
    stepDown: loop.stepDown,
    request: {
      messages,
      tools: isLast ? [] : choice.shown,
      answer: loop.answer,
      hints: toHints(loop, turn, { sure: course.sure, fresh: host.fresh }),
    },
    leftMs: turn.leftMs,
    host,
    ...(loop.kit.tools.length === 0 ? {} : { task }),
  }).catch((error: unknown) => {
    if (!isOutdated(error)) throw error;
    limits.spend(spentOn(error));
  });
  if (reply === undefined) return undefined;
  limits.spend(reply.usage);
  course.sure = reply.confidence?.value;
  return reply;
}

interface Asking {
  /** How sure the model was the last time. */
  readonly sure: number | undefined;
  readonly fresh: boolean;
}

function toHints({ hints }: Loop, { leftUsd }: Turn, { sure, fresh }: Asking): ModelHints {
  return {
    ...hints,
    ...(leftUsd === undefined ? {} : { budgetUsd: leftUsd }),
    ...(sure === undefined ? {} : { confidence: sure }),
    ...(fresh ? { fresh } : {}),
  };
}

// What the provider wants to see again belongs to all of its calls; without one of them it would not fit.
function toSaid({ text, toolCalls, dropped, providerData }: RecordedReply, calls: readonly ToolCall[]): ModelMessage {
  const isWhole = calls.length === toolCalls.length && dropped === undefined;
  return {
    role: "assistant",
    text,
    toolCalls: calls,
    ...(providerData === undefined || !isWhole ? {} : { providerData }),
  };
}

function toActed(answer: Answer & { readonly kind: "fits" }, { usage }: LimitBook, model: string): Acted<unknown> {
  const { output, confidence } = answer;
  return { output, usage, model, ...(confidence === undefined ? {} : { confidence }) };
}

interface Unusable {
  readonly reply: RecordedReply;
  readonly problem: string;
  readonly turn: Turn;
  readonly repairs: number;
}

function toUnusable(loop: Loop, { reply, problem, turn, repairs }: Unusable): TuttiError {
  const times = repairs === 0 ? "once" : repairs === 1 ? "twice" : `${repairs + 1} times`;
  return new TuttiError(
    "MODEL_ANSWER_INVALID",
    `${reply.model} answered ${loop.name} ${times} with what can't be used: ${problem}`,
    {
      hint: "Try a stronger model for this tier, or ask for a simpler output.",
      facts: { agent: loop.name, model: reply.model, turn: turn.number },
    },
  );
}
