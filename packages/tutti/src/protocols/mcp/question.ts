import { describeThrown } from "../../base/errors.ts";
import { anything, fields, recordOf, ShapeError, text } from "../../base/shape.ts";
import type { Schema } from "../../contracts/schema.ts";
import { fromJsonSchema } from "./json-schema.ts";
import type { McpAnswer, McpFormQuestion, McpQuestion, McpSettings } from "./mcp-options.ts";

/** A call under way, as far as its questions to people are concerned. */
export interface Asking {
  readonly tool: string;
  /** What came of its questions: said in its error, if it fails. */
  readonly notes: string[];
  /** How often the server was called for it. After the first time it has begun to work, whatever happens next. */
  rounds: number;
}

/** An answer in the words of MCP; a type, because the SDK wants an index signature. */
export type Elicited = {
  readonly action: "accept" | "decline" | "cancel";
  readonly content?: Record<string, ElicitedValue>;
};
type ElicitedValue = string | number | boolean | string[];

const asked = fields({ message: text }, { mode: text, requestedSchema: recordOf(anything), url: text });
const notesMax = 20;

/** @throws ShapeError when the server asks for something that is no question. */
export function parseQuestion(params: unknown, server: string, tool: string | undefined): McpQuestion {
  const { message, mode, requestedSchema, url } = asked(params, "the question");
  if (mode === "url") {
    if (url === undefined || !/^https?:\/\//i.test(url))
      throw new ShapeError("the question's url", "an http address", url);
    return { kind: "link", server, tool, message, url };
  }
  if (requestedSchema === undefined) throw new ShapeError("the question's schema", "an object", requestedSchema);
  return { kind: "form", server, tool, message, schema: requestedSchema };
}

/** Asks the person, and answers for them where they can't be asked or their answer does not fit: with a note, never in silence. */
export async function answerQuestion(
  { ask }: Pick<McpSettings, "ask">,
  {
    question,
    asking,
    signal,
  }: { readonly question: McpQuestion; readonly asking: Asking | undefined; readonly signal: AbortSignal },
): Promise<Elicited> {
  const refuse = (action: "decline" | "cancel", why: string): Elicited => {
    if (asking !== undefined && asking.notes.length < notesMax) asking.notes.push(why);
    return { action };
  };
  const short = JSON.stringify(question.message.slice(0, 200));
  if (ask === undefined) return refuse("decline", `it asked a person ${short}, and no \`ask\` is configured`);
  let answer: McpAnswer;
  try {
    answer = await ask(question, signal);
  } catch (error) {
    return refuse("cancel", `it asked a person ${short}, and asking failed: ${describeThrown(error)}`);
  }
  if (answer.kind !== "accept") return refuse(answer.kind, `the person it asked ${short} answered: ${answer.kind}`);
  if (question.kind === "link") return { action: "accept" };
  const content = { ...toDefaults(question.schema), ...answer.content };
  const problem = await findProblem(fromJsonSchema(question.schema), content);
  if (problem !== undefined) return refuse("cancel", `the answer to ${short} does not fit: ${problem}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked against the server's schema, and by the SDK once more
  return { action: "accept", content: content as Record<string, ElicitedValue> };
}

/** What a field says that it is when nobody fills it in. */
function toDefaults({ properties }: McpFormQuestion["schema"]): Record<string, unknown> {
  const defaults: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(isObject(properties) ? properties : {})) {
    if (isObject(field) && field["default"] !== undefined) defaults[name] = field["default"];
  }
  return defaults;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function findProblem(schema: Schema, content: unknown): Promise<string | undefined> {
  const { issues } = await schema["~standard"].validate(content);
  return issues?.map((issue) => issue.message).join("; ");
}
