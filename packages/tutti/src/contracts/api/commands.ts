import { priorities } from "../run-record.ts";
import {
  anything,
  decimal,
  fields,
  flag,
  integer,
  integerFrom,
  listOf,
  oneOf,
  recordOf,
  text,
  type ValueOf,
} from "./described.ts";

/* What can be commanded, and what an engine has to offer. Every command needs an `Idempotency-Key`; who commands is told by the token. */

export const budget = fields({}, { usd: decimal, tokens: integer, calls: integer, timeMs: integer });

/** Starts a run. Without an id the run is named after the idempotency key. Without a version the highest is taken. */
export const startRequest = fields(
  { flow: text },
  {
    version: text,
    input: anything,
    id: text,
    key: text,
    windowMs: integer,
    budget,
    tenant: text,
    priority: oneOf(...priorities),
  },
);
export type StartRequest = ValueOf<typeof startRequest>;
export const runNamed = fields({ run: text });
export const nothing = fields({});

export const signalRequest = fields({ name: text }, { payload: anything, id: text });
export type SignalRequest = ValueOf<typeof signalRequest>;
export const cancelRequest = fields({}, { reason: text });
/** Goes on with another output of the step, or another input; of the step "" the run's input. Neither: goes on as it was. */
export const forkRequest = fields({ step: text }, { output: anything, input: anything });
export type ForkRequestBody = ValueOf<typeof forkRequest>;
export const settleRequest = fields(
  { effect: text, verdict: oneOf("done", "not-done") },
  { output: anything, note: text },
);
export type SettleRequest = ValueOf<typeof settleRequest>;
export const toolCallRequest = fields({ input: anything }, { id: text });
/** Another version of a running plan, as `plans` shows it. */
export const planEditRequest = fields({ plan: text, edited: anything }, { why: text });
export const parkedEventRequest = fields({ event: integer, verdict: oneOf("retry", "drop") });

export const doubtfulEffect = fields({ effect: text, run: text, step: text, tool: text });
export const doubtfulEffects = fields({ effects: listOf(doubtfulEffect) });
export type DoubtfulEffects = ValueOf<typeof doubtfulEffects>;

/** `input`: JSON Schema, where the flow's schema library can say it. */
export const flowLine = fields({ name: text, version: text }, { input: anything });
export const flowPage = fields({ flows: listOf(flowLine) });
export const toolLine = fields({ name: text, does: text, effect: text });
export const toolPage = fields({ tools: listOf(toolLine) });
export const toolDetail = fields({ contract: anything }, { input: anything, output: anything });

/** Plans of a run with their tasks, states and reasons: docs/plans.md. */
export const planPage = fields({ plans: listOf(anything) });
export const drawingQuery = fields({}, { form: oneOf("mermaid", "svg") });

export const accountLine = fields({ account: text, limit: budget, spent: budget, reserved: budget });
/** `gates`: what is left alone for now. `slots`: who is in and who waits. Both only without a tenant. */
export const limitPage = fields({ accounts: listOf(accountLine), gates: listOf(anything), slots: listOf(anything) });
export const limitFilter = fields({}, { under: text, limit: integerFrom(1, 500) });

export const topicPage = fields({ topics: listOf(text) });
export const eventLine = fields(
  { topic: text, position: integer, id: text, at: integer },
  { key: text, payload: anything, from: fields({ run: text, step: text }) },
);
export const eventPage = fields({ events: listOf(eventLine) });
export const eventFilter = fields({}, { after: integerFrom(0, Number.MAX_SAFE_INTEGER), limit: integerFrom(1, 500) });
export const subscriptionPage = fields({
  subscriptions: listOf(
    fields({
      name: text,
      topic: text,
      flow: text,
      position: integer,
      tail: integer,
      acted: integer,
      parked: listOf(anything),
    }),
  ),
});
export const schedulePage = fields({
  schedules: listOf(
    fields(
      { name: text, flow: text, cron: text, timeZone: text, isPaused: flag, fired: integer, parked: listOf(anything) },
      { nextAt: integer, lastRun: text },
    ),
  ),
});

/** What each role may do: `viewer` looks; `operator` also starts and steers; `approver` also decides for people; `admin` everything. */
export const roles = ["viewer", "operator", "approver", "admin"] as const;
export type Role = (typeof roles)[number];
export const session = fields({ name: text, role: oneOf(...roles) }, { tenant: text });
export type Session = ValueOf<typeof session>;
export const sessionRequest = fields({ token: text });

export const health = fields({ status: oneOf("up", "draining"), pid: integer });
export const readiness = fields({ status: oneOf("ready", "draining"), lsn: integer });

/** Every answer that is not 2xx. `code`: docs/errors.md. */
export const errorAnswer = fields({
  error: fields({ code: text, message: text }, { hint: text, facts: recordOf(anything) }),
});
export type ErrorAnswer = ValueOf<typeof errorAnswer>;
