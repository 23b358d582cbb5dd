import { decimal, fields, flag, integer, listOf, oneOf, text, type ValueOf } from "./described.ts";

/* What is known of agents and others over all runs: who hands work to whom, and how figures went from version to version. */

/**
 * From whom to whom: agents by their names, and flows. `calls`: work that was begun, also on a message. `refused`: of them, by the receiver's own
 * conditions. What is neither done, refused, failed nor cancelled is under way.
 */
export const handOffLine = fields({
  from: text,
  to: text,
  messages: integer,
  calls: integer,
  done: integer,
  refused: integer,
  failed: integer,
  cancelled: integer,
  lastAt: integer,
});
export type HandOffLine = ValueOf<typeof handOffLine>;
/** `isCut`: there were more pairs than are counted. */
export const handOffPage = fields({ handOffs: listOf(handOffLine), isCut: flag });
export type HandOffPage = ValueOf<typeof handOffPage>;

const measured = fields(
  { calls: integer, done: integer, failed: integer, costUsd: decimal },
  /** Means; of calls whose length, or whose confidence, is known. */
  { tookMs: fields({ count: integer, mean: decimal }), confidence: fields({ count: integer, mean: decimal }) },
);
export type Measured = ValueOf<typeof measured>;

/** A stretch of time in which calls ended, from `at` on. Where nothing ended there is none. */
export const measuredPeriod = fields({ at: integer, measured });
/** A version, with what all of its calls come to. Tools and models have none. */
export const callableVersion = fields(
  { firstAt: integer, lastAt: integer, all: measured, periods: listOf(measuredPeriod) },
  { version: text },
);
export type CallableVersion = ValueOf<typeof callableVersion>;

/** Versions in the order in which they came. Of fewer than `enoughCalls` calls a share or a mean says little. Nothing here is a verdict. */
export const callableHistory = fields({
  kind: oneOf("agent", "tool", "model", "flow"),
  name: text,
  /** How long a period is. */
  periodMs: integer,
  enoughCalls: integer,
  versions: listOf(callableVersion),
});
export type CallableHistory = ValueOf<typeof callableHistory>;
export const historyQuery = fields({ kind: oneOf("agent", "tool", "model", "flow"), name: text });
