import { gzipSync } from "node:zlib";

import type { ErrorCode } from "../base/error-codes.ts";
import {
  mayHaveHappened,
  unreadable,
  type FaultExpectation,
  type FaultSetting,
  type ProviderFault,
} from "./provider-fault.ts";
import type { ProviderAnswer } from "./provider-server.ts";

interface BodyCase {
  readonly only?: "json" | "empties";
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly body: (setting: FaultSetting) => unknown;
  readonly expect: FaultExpectation;
}

function toFault(name: string, { only, headers, status, body, expect }: BodyCase): ProviderFault {
  const answer = (setting: FaultSetting): ProviderAnswer => ({
    kind: "answer",
    ...(status === undefined ? {} : { status }),
    headers: { ...setting.good.headers, ...headers },
    body: body(setting),
  });
  return { name, ...(only === undefined ? {} : { only }), service: { kind: "answers", answer }, expect };
}

/** The service said that it succeeded, and nobody can read what it said. */
const invalid: FaultExpectation = { kind: "error", codes: unreadable, effects: mayHaveHappened };
const nothingThere: readonly ErrorCode[] = [...unreadable, "TOOL_EMPTY"];
const nothingToRead: FaultExpectation = { kind: "error", codes: nothingThere, effects: ["none", ...mayHaveHappened] };
const same: FaultExpectation = { kind: "output" };
const sameOrInvalid: FaultExpectation = { kind: "output", mayFail: true };

function toBytes({ good }: FaultSetting): Buffer {
  if (good.body instanceof Uint8Array) return Buffer.from(good.body);
  return Buffer.from(typeof good.body === "string" ? good.body : JSON.stringify(good.body));
}

/** A copy of the good answer with another value where the needed field is, or without the field. */
function withField(
  { good, needs }: FaultSetting,
  change: (holder: Record<string, unknown>, name: string) => void,
): unknown {
  const copy: unknown = structuredClone(good.body);
  let holder: unknown = copy;
  for (const name of needs.slice(0, -1)) holder = toRecord(holder)[String(name)];
  change(toRecord(holder), String(needs.at(-1)));
  return copy;
}

function toRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null)
    throw new Error("`needs` names a field that the good answer does not have");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked in the line above
  return value as Record<string, unknown>;
}

const drifts: readonly ProviderFault[] = [
  toFault("a field is missing", {
    only: "json",
    body: (setting) => withField(setting, (holder, name) => delete holder[name]),
    expect: invalid,
  }),
  toFault("a field has another name", {
    only: "json",
    body: (setting) =>
      withField(setting, (holder, name) => {
        holder[`${name}_v2`] = holder[name];
        delete holder[name];
      }),
    expect: invalid,
  }),
  toFault("a field is null", {
    only: "json",
    body: (setting) => withField(setting, (holder, name) => void (holder[name] = null)),
    expect: invalid,
  }),
  toFault("a field has another type", {
    only: "json",
    body: (setting) => withField(setting, (holder, name) => void (holder[name] = { value: holder[name] })),
    expect: invalid,
  }),
  toFault("a field too many", {
    only: "json",
    body: (setting) => withField(setting, (holder) => void (holder["__unheard_of"] = { of: ["course"] })),
    expect: same,
  }),
  toFault("a list where an object should be", { only: "json", body: ({ good }) => [good.body], expect: invalid }),
  toFault("nothing but null", { only: "json", body: () => "null", expect: invalid }),
];

/** Answers that say that all is well, and are not what they should be. */
export const bodyFaults: readonly ProviderFault[] = [
  ...drifts,
  toFault("an empty body", { body: () => "", expect: nothingToRead }),
  toFault("204: no body at all", { status: 204, body: () => "", expect: nothingToRead }),
  toFault("JSON that ends too early", {
    only: "json",
    body: (setting) => toBytes(setting).subarray(0, -2),
    expect: invalid,
  }),
  toFault("JSON, a thousand levels deep and more", { only: "json", body: () => "[".repeat(100_000), expect: invalid }),
  toFault("a page that says that something is wrong, with 200", {
    only: "json",
    headers: { "content-type": "text/html" },
    body: () => "<!doctype html><h1>We will be back soon</h1>",
    expect: invalid,
  }),
  toFault("an error with 200", {
    only: "json",
    body: ({ key }) => ({ error: { message: `no, ${key}` } }),
    expect: invalid,
  }),
  toFault("the right answer as another type of content", {
    only: "json",
    headers: { "content-type": "image/png" },
    body: ({ good }) => good.body,
    expect: sameOrInvalid,
  }),
  toFault("an encoding that nobody knows", {
    only: "json",
    headers: { "content-type": "application/json; charset=klingon" },
    body: ({ good }) => good.body,
    expect: sameOrInvalid,
  }),
  toFault("bytes that are no text", {
    only: "json",
    body: (setting) =>
      Buffer.concat([toBytes(setting).subarray(0, 2), Buffer.from([0xff, 0xfe, 0xfd]), toBytes(setting)]),
    expect: invalid,
  }),
  toFault("NUL bytes between the others", {
    body: (setting) => Buffer.concat([toBytes(setting), Buffer.alloc(8)]),
    expect: invalid,
  }),
  toFault("a byte order mark before it", {
    body: (setting) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), toBytes(setting)]),
    expect: sameOrInvalid,
  }),
  toFault("packed, as it may be", {
    headers: { "content-encoding": "gzip" },
    body: (setting) => gzipSync(toBytes(setting)),
    expect: same,
  }),
  toFault("packed, it says, and is not", {
    headers: { "content-encoding": "gzip" },
    body: ({ good }) => good.body,
    expect: invalid,
  }),
  toFault("packed, and cut off", {
    headers: { "content-encoding": "gzip" },
    body: (setting) => gzipSync(toBytes(setting)).subarray(0, -9),
    expect: invalid,
  }),
  toFault("packed in a way that was never asked for", {
    headers: { "content-encoding": "compress" },
    body: ({ good }) => good.body,
    expect: invalid,
  }),
  toFault("packed, and a thousand times as large when it is unpacked", {
    headers: { "content-encoding": "gzip" },
    // Who unpacks it all would find the right answer at its end.
    body: (setting) => gzipSync(Buffer.concat([Buffer.alloc(20_000_000, " "), toBytes(setting)])),
    expect: invalid,
  }),
  toFault("nothing found", { only: "empties", body: ({ empty }) => empty?.body ?? "", expect: { kind: "empty" } }),
];
