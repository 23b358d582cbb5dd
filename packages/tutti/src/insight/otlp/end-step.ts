import type { StoredError } from "../../base/errors.ts";
import type { BodyOf } from "../../contracts/entry.ts";
import type { StepKey } from "../../contracts/ids.ts";
import { addUsage, noUsage, type Usage } from "../../contracts/outcome.ts";
import { spentOn } from "../../contracts/spent.ts";
import { findModelReply, isModelStep } from "../model-reply.ts";
import {
  cut,
  describeError,
  describeModelUsage,
  describeUsage,
  describeValue,
  toLink,
  type HeldValue,
} from "./attributes.ts";
import { names, toProviderName } from "./conventions.ts";
import type { FailedAttempt, Reading, RunSpans } from "./run-spans.ts";
import type { Attributes, SpanLink, SpanRole } from "./span.ts";

/** What entries that end a step say of it. */
interface StepEnd {
  readonly out?: unknown;
  readonly outRef?: HeldValue["ref"];
  readonly input?: unknown;
  readonly inputRef?: HeldValue["ref"];
  readonly uses?: readonly StepKey[];
  readonly report?: BodyOf<"step-done">["report"];
  readonly call?: string | undefined;
  readonly by?: string;
  readonly attempt?: number;
  readonly tookMs?: number;
  readonly edited?: boolean;
  readonly error?: StoredError;
}

/** What a step turned out to be, for the spans of all its attempts. */
interface Subject {
  readonly role: SpanRole;
  readonly about: string;
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  readonly parentSpanId?: string;
}

/** The spans of a step's attempts. They are told together, when the last entry says what kind of step it was. */
export function endStep({
  spans,
  key,
  at,
  body,
}: Omit<Reading<"step-done">, "body"> & { readonly body: StepEnd }): void {
  const begun = spans.open.get(key);
  const attempt = body.attempt ?? (spans.failed.get(key)?.at(-1)?.attempt ?? 0) + 1;
  // Who gives up while waiting for another attempt says once more what the last one came to.
  const failed = (spans.failed.get(key) ?? []).filter((one) => one.attempt !== attempt);
  spans.open.delete(key);
  spans.failed.delete(key);
  const subject = begun ?? toSubject(spans, key, body);
  let startMs = begun?.startMs;
  let earlier: FailedAttempt | undefined;
  for (const one of failed) {
    emitFailed(spans, { key, subject, one, startMs, earlier });
    startMs = one.nextAt;
    earlier = one;
  }
  if (body.tookMs !== undefined) startMs = at - body.tookMs;
  spans.emit({
    ...subject,
    key,
    attempt,
    startMs: startMs ?? at,
    endMs: at,
    attributes: { ...subject.attributes, ...describeEnd(spans, { key, subject, body }) },
    links: [...subject.links, ...toRetry(spans, key, earlier)],
    error: body.error?.code,
  });
}

interface Failing {
  readonly key: string;
  readonly subject: Subject;
  readonly one: FailedAttempt;
  readonly startMs: number | undefined;
  readonly earlier: FailedAttempt | undefined;
}

function emitFailed(spans: RunSpans, { key, subject, one, startMs, earlier }: Failing): void {
  spans.emit({
    ...subject,
    key,
    attempt: one.attempt,
    startMs: one.tookMs === undefined ? (startMs ?? one.at) : one.at - one.tookMs,
    endMs: one.at,
    attributes: { ...subject.attributes, ...describeEnd(spans, { key, subject, body: one }) },
    links: [...subject.links, ...toRetry(spans, key, earlier)],
    error: one.error.code,
  });
}

function toRetry({ run }: RunSpans, step: string, earlier: FailedAttempt | undefined): readonly SpanLink[] {
  return earlier === undefined ? [] : [toLink("retry", { run, step, attempt: earlier.attempt })];
}

function toSubject(spans: RunSpans, key: string, body: StepEnd): Subject {
  const links = spans.linksTo(body.uses);
  if (isModelStep(key)) {
    const reply = findModelReply(key, body.out);
    const said = reply?.model ?? textFact(body.error, "model");
    if (reply !== undefined || body.error !== undefined) return { ...toModel(said, body.error), links };
  }
  const input = { value: body.input, ref: body.inputRef };
  if (body.call === undefined) {
    return { role: "step", about: key.slice(key.lastIndexOf("/") + 1), attributes: {}, links };
  }
  return {
    role: "tool",
    about: body.call,
    attributes: {
      [names.tool]: body.call,
      [names.toolType]: "function",
      ...describeValue("input", input, { shown: spans.shown, name: names.toolArguments }),
    },
    links,
  };
}

/** `openai.responses/gpt-5-mini`: who was asked, and for what. A question that failed may not say it. */
function toModel(said: string | undefined, error: StoredError | undefined): Omit<Subject, "links"> {
  const slash = said?.indexOf("/") ?? -1;
  const model = said?.slice(slash + 1);
  const provider = slash > 0 ? said?.slice(0, slash) : textFact(error, "provider");
  return {
    role: "model",
    about: model ?? "",
    attributes: {
      [names.provider]: toProviderName(provider ?? "unknown"),
      ...(model === undefined ? {} : { [names.requestModel]: model }),
    },
  };
}

function textFact(error: StoredError | undefined, name: string): string | undefined {
  const value = error?.facts?.[name];
  return typeof value === "string" ? value : undefined;
}

interface Ending {
  readonly key: string;
  readonly subject: Subject;
  readonly body: StepEnd;
}

function describeEnd(spans: RunSpans, { key, subject, body }: Ending): Attributes {
  const { report, error } = body;
  const common = {
    ...describeError(error),
    ...(body.edited === true ? { "tutti.edited": true } : {}),
    ...(body.by === undefined ? {} : { "tutti.effect.settled_by": body.by }),
  };
  if (subject.role === "model") return { ...common, ...describeReply(spans, { key, subject, body }) };
  const output = { value: body.out, ref: body.outRef };
  const name = subject.role === "tool" ? names.toolResult : "tutti.output";
  return {
    ...common,
    ...(report?.provider === undefined ? {} : { "tutti.provider": report.provider }),
    ...(report?.tried === undefined ? {} : { "tutti.providers_tried": report.tried.map(({ provider }) => provider) }),
    ...describeUsage(report?.usage),
    ...describeValue("output", output, { shown: spans.shown, name }),
  };
}

function describeReply(spans: RunSpans, { key, subject, body }: Ending): Attributes {
  const reply = findModelReply(key, body.out);
  const model = subject.attributes[names.requestModel];
  const spent: Usage = addUsage(reply?.usage ?? noUsage, body.error === undefined ? noUsage : spentOn(body.error));
  spans.spend(spent);
  return {
    ...(spent.modelCalls === 0 && reply === undefined ? {} : describeModelUsage(spent)),
    ...(reply === undefined
      ? {}
      : {
          ...(model === undefined ? {} : { [names.responseModel]: model }),
          "tutti.tool_calls": reply.toolCalls.map(({ tool }) => tool),
          ...describeValue(
            "output",
            { value: reply.text, ref: undefined },
            { shown: spans.shown === "bodies" ? "hashes" : spans.shown, name: "" },
          ),
          ...(spans.shown === "bodies" ? { [names.outputMessages]: toMessages(reply.text) } : {}),
        }),
  };
}

/** What the model said, in the form that the conventions give. */
function toMessages(content: string): string {
  return JSON.stringify([
    { role: "assistant", parts: [{ type: "text", content: cut(content) }], finish_reason: "stop" },
  ]);
}
