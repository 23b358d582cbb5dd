import {
  brokenOff,
  hardToTell,
  mayHaveHappened,
  nothingHappened,
  outOfReach,
  unreadable,
  type FaultExpectation,
  type FaultSetting,
  type ProviderFault,
} from "./provider-fault.ts";
import type { ProviderAnswer } from "./provider-server.ts";

const unsent: FaultExpectation = { kind: "error", codes: outOfReach, effects: nothingHappened };
const interrupted: FaultExpectation = { kind: "error", codes: brokenOff, effects: mayHaveHappened };

function toFault(name: string, answer: (setting: FaultSetting) => ProviderAnswer): ProviderFault {
  return { name, service: { kind: "answers", answer }, expect: interrupted };
}

function half({ good }: FaultSetting): string {
  const whole = typeof good.body === "string" ? good.body : JSON.stringify(good.body);
  return whole.slice(0, Math.ceil(whole.length / 2));
}

const redirected: FaultExpectation = {
  kind: "error",
  codes: ["TOOL_ANSWER_INVALID", "TOOL_REFUSED", "TOOL_FAILED"],
  effects: hardToTell,
};

/** Everything that can happen to the connection. */
export const transportFaults: readonly ProviderFault[] = [
  { name: "nobody listens at the port", service: { kind: "nobody-listens" }, expect: unsent },
  { name: "there is no such host", slow: true, service: { kind: "no-such-host" }, expect: unsent },
  { name: "its certificate is one that nobody vouches for", service: { kind: "self-signed" }, expect: unsent },
  { name: "it does not speak TLS where it should", service: { kind: "not-secure" }, expect: unsent },
  {
    name: "it hangs up before the request has arrived",
    service: { kind: "drops" },
    expect: { kind: "error", codes: brokenOff, effects: hardToTell },
  },
  toFault("it hangs up after the request has arrived", () => ({ kind: "cut" })),
  toFault("it hangs up in the middle of the answer", (setting) => ({ kind: "cut", after: half(setting) })),
  toFault("it hangs up in the middle of a chunked answer", (setting) => ({
    kind: "cut",
    after: half(setting),
    chunked: true,
  })),
  { ...toFault("it never answers", () => ({ kind: "hang" })), slow: true },
  { ...toFault("it begins to answer and stops", (setting) => ({ kind: "endless", after: half(setting) })), slow: true },
  toFault("it does not speak HTTP", () => ({ kind: "raw", text: "220 smtp.example ready\r\n" })),
  toFault("its headers are larger than anybody's", ({ good }) => ({
    kind: "answer",
    headers: { "x-filler": "x".repeat(100_000) },
    body: good.body,
  })),
  {
    name: "its answer has no end",
    service: {
      kind: "answers",
      answer: (setting) => ({ kind: "endless", after: half(setting), more: " ".repeat(64_000) }),
    },
    expect: { kind: "error", codes: [...unreadable, "TOOL_FAILED"], effects: mayHaveHappened },
  },
  {
    name: "it sends to itself, round and round",
    service: {
      kind: "answers",
      answer: () => ({ kind: "answer", status: 307, headers: { location: "/again" }, body: "" }),
    },
    expect: redirected,
  },
  {
    name: "it sends elsewhere, where the key has no business",
    only: "stays",
    service: {
      kind: "answers",
      answer: () => ({ kind: "answer", status: 302, headers: { location: "http://127.0.0.1:9/steal" }, body: "" }),
    },
    expect: redirected,
  },
  {
    name: "the caller leaves before anything was asked",
    service: { kind: "caller-leaves", when: "before" },
    expect: { kind: "error", codes: [...brokenOff, "RUN_CANCELLED"], effects: nothingHappened },
  },
  {
    name: "the caller leaves while the service is at work",
    service: { kind: "caller-leaves", when: "meanwhile" },
    expect: { kind: "error", codes: [...brokenOff, "RUN_CANCELLED"], effects: mayHaveHappened },
  },
];
