import {
  anything,
  decimal,
  fields,
  flag,
  integer,
  listOf,
  oneOf,
  recordOf,
  ShapeError,
  text,
  type Shape,
} from "../../base/shape.ts";
import { amountShape } from "../../contracts/budget.ts";
import { schemaOf, type Schema } from "../../contracts/schema.ts";
import { comparators, type Condition } from "./condition.ts";
import { planLimits, type OnFailure, type Plan, type PlanTask, type Repeat, type SuccessTest } from "./plan.ts";

/** More than this around itself is no condition that a person could read. */
const conditionDepthMax = 8;

const scalar: Shape<string | number | boolean | null> = (value, path) => {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  throw new ShapeError(path, "text, a number, true, false or null", value);
};

const comparison = fields({ value: text, is: oneOf(...comparators) }, { to: scalar });

function toConditionShape(depth: number): Shape<Condition> {
  return (value, path) => {
    if (depth > conditionDepthMax) throw new ShapeError(path, `at most ${conditionDepthMax} conditions deep`, value);
    const inner = toConditionShape(depth + 1);
    if (typeof value === "object" && value !== null) {
      if ("all" in value) return fields({ all: listOf(inner) })(value, path);
      if ("any" in value) return fields({ any: listOf(inner) })(value, path);
      if ("not" in value) return fields({ not: inner })(value, path);
    }
    const compared = comparison(value, path);
    const needsNone = compared.is === "empty" || compared.is === "not-empty";
    if (needsNone !== (compared.to === undefined))
      throw new ShapeError(`${path}.to`, needsNone ? "nothing" : "what the value is compared with", compared.to);
    return compared;
  };
}

const condition = toConditionShape(1);

const success: Shape<SuccessTest> = fields(
  {},
  { check: text, schema: recordOf(anything), holds: condition, confidenceMin: decimal, notEmpty: flag },
);
const onFailure: Shape<OnFailure> = fields(
  {},
  { retries: integer, alternative: text, otherwise: oneOf("fail", "skip", "replan") },
);
const repeat: Shape<Repeat> = fields({ until: condition, max: integer });

const idPattern = /^[\p{L}\d][\p{L}\d_-]{0,63}$/u;
const namePattern = /^[\p{L}\d][\p{L}\d_.-]{0,63}$/u;

function matching(pattern: RegExp, wanted: string): Shape<string> {
  return (value, path) => {
    const word = text(value, path);
    if (pattern.test(word)) return word;
    throw new ShapeError(path, wanted, value);
  };
}

const taskId = matching(idPattern, "letters, digits, _ and -, at most 64");
const planName = matching(namePattern, "letters, digits and _ . -, at most 64");

function toTaskShape(nesting: number): Shape<PlanTask> {
  return fields(
    { id: taskId },
    {
      does: text,
      call: text,
      need: text,
      // The plans inside are only looked at where there are some: the shape would have no end.
      plan: (value, path) => toPlanShape(nesting + 1)(value, path),
      planFrom: text,
      input: anything,
      after: listOf(text),
      when: condition,
      success,
      onFailure,
      repeat,
      budget: amountShape,
    },
  );
}

function toPlanShape(nesting: number): Shape<Plan> {
  return (value, path) => {
    if (nesting > planLimits.nestingMax)
      throw new ShapeError(path, `at most ${planLimits.nestingMax} plans deep`, value);
    return fields({ name: planName, tasks: listOf(toTaskShape(nesting)) }, { goal: text, output: anything })(
      value,
      path,
    );
  };
}

/** A plan's form. Whether it can work is asked by `checkPlan`. */
export const planShape: Shape<Plan> = toPlanShape(1);

const conditionJson = {
  description:
    'A comparison like { "value": "research.findings", "is": "not-empty" } or { "value": "input.count", "is": "at-least", "to": 3 }; or { "all": […] }, { "any": […] }, { "not": … }.',
  type: "object",
};
const sourceJson = {
  description:
    'JSON with the fields that the callable wants. { "$from": "input.topic" } stands for a field of the plan\'s input, { "$from": "<task id>.<field>" } for one of another task\'s output; add "or" for a value where there is none.',
};

const taskJson = {
  type: "object",
  properties: {
    id: { type: "string", description: "A short name: letters, digits, _ and -." },
    does: { type: "string", description: "What the task is for, in one sentence." },
    call: { type: "string", description: "The name of the callable that does it." },
    need: { type: "string", description: "Instead of `call`: what is needed, in words." },
    planFrom: {
      type: "string",
      description: "Instead of `call`: where another task gives a plan, like `split.plan`. It is run with `input`.",
    },
    input: sourceJson,
    after: { type: "array", items: { type: "string" }, description: "Ids of tasks that must be over before." },
    when: conditionJson,
    success: {
      type: "object",
      properties: {
        notEmpty: { type: "boolean" },
        confidenceMin: { type: "number", minimum: 0, maximum: 1 },
        holds: conditionJson,
        check: { type: "string" },
      },
    },
    onFailure: {
      type: "object",
      properties: {
        retries: { type: "integer", minimum: 0, maximum: planLimits.retriesMax },
        alternative: { type: "string" },
        otherwise: { type: "string", enum: ["fail", "skip", "replan"] },
      },
    },
    repeat: {
      type: "object",
      properties: { until: conditionJson, max: { type: "integer", minimum: 1, maximum: planLimits.repeatMax } },
      required: ["until", "max"],
    },
    budget: {
      description: "What each call of it may spend: US dollars, tokens, calls of models and tools.",
      type: "object",
      properties: {
        usd: { type: "number", minimum: 0 },
        tokens: { type: "integer", minimum: 0 },
        calls: { type: "integer", minimum: 0 },
      },
    },
  },
  required: ["id"],
};

/** A plan's form as a schema: for models that make plans, and for whoever stores them. */
export const planSchema: Schema<Plan> = schemaOf(planShape, {
  type: "object",
  properties: {
    name: { type: "string" },
    goal: { type: "string" },
    tasks: { type: "array", items: taskJson, minItems: 1 },
    output: sourceJson,
  },
  required: ["name", "tasks"],
});
