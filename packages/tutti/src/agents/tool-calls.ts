import { isTuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Tool } from "../contracts/callable.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { ModelMessage, ToolCall } from "../contracts/model.ts";
import type { Run } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import { findToolsName, type FoundTools } from "../tools/registry/find-tools.ts";
import type { Said } from "./compaction.ts";
import type { LimitBook } from "./limits.ts";
import { toRefusal } from "./prompt.ts";
import type { ToolChoice } from "./tool-choice.ts";

/** Longer inputs are not passed on: a model that writes so much has lost its way. */
export const inputCharactersMax = 256 * 1024;
/** Of a longer result the model sees the beginning; the step keeps the whole. */
export const resultCharactersMax = 100_000;
/** The same call with the same input is made so often in turns that follow each other, */
export const repeatsMax = 3;
/** and refused so often, before the agent is stopped. */
export const repeatRefusalsMax = 2;

/** A tool that is meant to be asked again and again with the same input says so with this tag. */
const pollingTag = "polling";

export interface ToolCaller {
  /** Makes the calls of a turn, all at once, and returns what the model is told. @throws AGENT_LIMIT when it goes in circles */
  call(calls: readonly ToolCall[]): Promise<Said[]>;
}

interface ToolOutcome {
  readonly result: unknown;
  readonly isError: boolean;
  /** Where the result is recorded, if the call was made. */
  readonly step?: StepKey;
}

/** Every call is a step of the run, named by its tool and its id. What a model can correct is told to it and is no step. */
export function openToolCaller(run: Run, choice: ToolChoice, limits: LimitBook): ToolCaller {
  let streaks: ReadonlyMap<string, number> = new Map();
  return {
    async call(calls) {
      const counted = countRepeats(streaks, calls);
      streaks = counted.streaks;
      const outcomes = await Promise.all(
        calls.map((call, index) => callTool(run, choice, { call, repeats: counted.repeats[index] ?? 1, limits })),
      );
      return outcomes.map(({ result, isError, step }, index): Said => {
        const { id, tool } = calls[index] ?? { id: "", tool: "" };
        if (tool === findToolsName && !isError) choice.show(toFoundNames(result));
        const message: ModelMessage = { role: "tool", callId: id, tool, result: toShown(result), isError };
        return step === undefined ? { message } : { message, step };
      });
    },
  };
}

interface Repeats {
  readonly repeats: readonly number[];
  readonly streaks: ReadonlyMap<string, number>;
}

// In a row means: in every turn since the first time. Other calls in between, in the same turns, do not break the row.
function countRepeats(earlier: ReadonlyMap<string, number>, calls: readonly ToolCall[]): Repeats {
  const streaks = new Map<string, number>();
  const repeats = calls.map(({ tool, input }) => {
    const key = `${tool} ${toShort(toCanonicalJson(input))}`;
    const count = (streaks.get(key) ?? earlier.get(key) ?? 0) + 1;
    streaks.set(key, count);
    return count;
  });
  return { repeats, streaks };
}

const keyCharactersMax = 512;

/** What stands for a text in a key: itself, or its digest. */
function toShort(text: string): string {
  return text.length <= keyCharactersMax ? text : sha256(text);
}

interface Wanted {
  readonly call: ToolCall;
  /** How often it was asked for in a row, this time included. */
  readonly repeats: number;
  readonly limits: LimitBook;
}

async function callTool(run: Run, choice: ToolChoice, { call, repeats, limits }: Wanted): Promise<ToolOutcome> {
  const tool = choice.find(call.tool);
  if (tool === undefined) return refuseUnknown(call, choice);
  const length = JSON.stringify(call.input)?.length ?? 0;
  if (length > inputCharactersMax) {
    return refuse(
      toRefusal(
        `The input of ${tool.name} is too long: ${length} characters, at most ${inputCharactersMax}.`,
        "Send less, or in parts.",
      ),
    );
  }
  if (repeats > repeatsMax && tool.tags?.includes(pollingTag) !== true) {
    if (repeats > repeatsMax + repeatRefusalsMax) throw limits.over("repeats");
    return refuse(
      toRefusal(
        `You have made this call ${repeatsMax} times in a row with the same input; it was not made again.`,
        "Its result is above: use it, change the input, or answer.",
      ),
    );
  }
  const misfit = await findMisfit(tool, call.input);
  if (misfit !== undefined) {
    choice.show([tool.name]); // it may have been called by its name alone
    return refuse(toRefusal(misfit, "Correct the input and call again."));
  }
  try {
    const { output, step } = await run.result(tool, call.input, { name: toStepName(tool.name, call.id) });
    return { result: output, isError: false, step };
  } catch (error) {
    if (isTuttiError(error) && error.disposition === "tell-model") return refuse(toRefusal(error.message, error.hint));
    throw error;
  }
}

function refuseUnknown(call: ToolCall, choice: ToolChoice): ToolOutcome {
  const names = choice.shown.map((each) => each.name).join(", ");
  return refuse(
    toRefusal(
      `There is no tool ${JSON.stringify(call.tool)}.`,
      names === "" ? "You have no tools; answer." : `You have: ${names}.`,
    ),
  );
}

async function findMisfit(tool: Tool, input: unknown): Promise<string | undefined> {
  try {
    await parseWith(tool.input, input, { code: "INPUT_INVALID", what: `the input of ${tool.name}` });
    return undefined;
  } catch (error) {
    if (isTuttiError(error) && error.code === "INPUT_INVALID") return error.message;
    throw error;
  }
}

function refuse(result: string): ToolOutcome {
  return { result, isError: true };
}

const callIdMax = 80;

// Part of a step's path, so without the characters that structure it.
function toStepName(tool: string, callId: string): string {
  return `${tool}:${callId.replaceAll(/[^\w.-]/g, "_").slice(0, callIdMax)}`;
}

function toFoundNames(result: unknown): readonly string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the output of our own search, parsed by its schema
  return (result as FoundTools).tools.map((found) => found.name);
}

function toShown(result: unknown): unknown {
  const json = JSON.stringify(result) ?? "null";
  if (json.length <= resultCharactersMax) return result;
  return `${json.slice(0, resultCharactersMax)}… (cut: ${json.length} characters in all; ask for less at a time)`;
}
