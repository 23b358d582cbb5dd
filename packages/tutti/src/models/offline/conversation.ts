import { findJson } from "../../base/json-in-text.ts";
import { toTerms } from "../../base/text-rank.ts";
import type { ModelMessage } from "../../contracts/model.ts";
import { toRole } from "./property-role.ts";
import { isObject, type JsonObject } from "./schema-node.ts";

/** A tool call of an earlier turn, with what came back. */
export interface FinishedCall {
  readonly tool: string;
  readonly input: unknown;
  readonly result: unknown;
  readonly isError: boolean;
}

/** A conversation, read for what it asks and what it brings. */
export interface Conversation {
  /** What is asked, in words. */
  readonly question: string;
  /** The agent's input, when it was given as JSON; else an empty object. */
  readonly input: JsonObject;
  /** What the user wrote, when it was not JSON: material to answer from. */
  readonly userText: string;
  readonly calls: readonly FinishedCall[];
}

/** Reads the system and user text, the input in it, and the results of the tools. */
export function readConversation(messages: readonly ModelMessage[]): Conversation {
  const userTexts: string[] = [];
  const systemTexts: string[] = [];
  const calls: FinishedCall[] = [];
  const inputById = new Map<string, unknown>();
  for (const message of messages) {
    switch (message.role) {
      case "system":
        systemTexts.push(message.text);
        break;
      case "user":
        userTexts.push(message.text);
        break;
      case "assistant":
        for (const call of message.toolCalls) inputById.set(call.id, call.input);
        break;
      case "tool":
        calls.push({
          tool: message.tool,
          input: inputById.get(message.callId),
          result: message.result,
          isError: message.isError,
        });
        break;
    }
  }
  // Only the first text is the task; later ones tell what was wrong with an answer.
  const task = userTexts[0] ?? "";
  const found = findJson(task)?.value;
  const input = isObject(found) ? found : undefined;
  if (input !== undefined) return { question: toQuestion(input) ?? firstLine(task), input, userText: "", calls };
  const asked = findQuestion(task) ?? firstLine(task);
  return {
    question: asked === "" ? (systemTexts[0] ?? "") : asked,
    input: {},
    userText: task.replace(asked, ""),
    calls,
  };
}

const askingNames = [
  "question",
  "query",
  "ask",
  "task",
  "goal",
  "objective",
  "topic",
  "subject",
  "request",
  "prompt",
  "title",
];
const questionMax = 400;
const askedMax = 2_000;

/** What an input asks: its field of that name, else all its short texts. */
export function toQuestion(input: JsonObject): string | undefined {
  for (const name of askingNames) {
    const value = input[name];
    if (typeof value === "string" && value.trim() !== "") return value.trim().slice(0, askedMax);
  }
  const asked = Object.entries(input).find(
    ([name, value]) => typeof value === "string" && value.trim() !== "" && toRole(name) === "question",
  );
  if (typeof asked?.[1] === "string") return asked[1].trim().slice(0, askedMax);
  const short = Object.values(input).filter(
    (value) => typeof value === "string" && value.trim() !== "" && value.length <= questionMax,
  );
  return short.length === 0 ? undefined : short.join(" ").slice(0, askedMax);
}

const openings = [
  /^(?:what|which|who|where|when|why|how|was|wie|welche\w*)\b.*\b(?:about|über)\s+/iu,
  /^(?:what|which|who|where|when|why|how)\b.*?\b(?:to|is|are|was|were|do|does|did|can|has|have)\s+/iu,
  /^(?:was|wie|warum|welche\w*|wo|wer)\b.*?\b(?:ist|sind|zu)\s+/iu,
];
const narrowing = /\s+(?:of|in|for|with|by|from|at|on|von|bei|mit|für|im)\s+/iu;

/** What a question is about, without what it is narrowed by: "speed" of "What is said about the speed of parsers?" */
export function toFocus(question: string): string {
  const opening = openings.find((pattern) => pattern.test(question.trim()));
  const asked = opening === undefined ? question.trim() : question.trim().replace(opening, "");
  const focus = asked.split(narrowing, 1)[0] ?? asked;
  return toTerms(focus).length === 0 ? question : focus.replace(/[?.!\s]+$/u, "");
}

// The last sentence that asks.
function findQuestion(text: string): string | undefined {
  const end = text.lastIndexOf("?");
  if (end < 0) return undefined;
  const before = text.slice(Math.max(0, end - questionMax), end);
  const start = Math.max(...[".", "!", "?", "\n"].map((mark) => before.lastIndexOf(mark))) + 1;
  const asked = before.slice(start).trim();
  return asked === "" ? undefined : `${asked}?`;
}

function firstLine(text: string): string {
  return (text.trim().split("\n", 1)[0] ?? "").slice(0, questionMax);
}
