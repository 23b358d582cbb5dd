// Nobody means more than a day; what says so is a mistake, or a moment in a broken clock.
const waitMaxMs = 86_400_000;

/** How long a provider asks to wait: in milliseconds, in seconds, or until a moment. At most a day. */
export function toRetryAfterMs(headers: Readonly<Record<string, string>>): number | undefined {
  const inMs = Number.parseFloat(headers["retry-after-ms"] ?? "");
  if (inMs >= 0) return Math.min(inMs, waitMaxMs);
  const after = headers["retry-after"];
  if (after === undefined) return undefined;
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(after)) return Math.min(Number.parseFloat(after) * 1_000, waitMaxMs);
  // Its own clock counts, where it says what that shows.
  const from = Date.parse(headers["date"] ?? "") || Date.now();
  const until = Date.parse(after);
  return Number.isNaN(until) ? undefined : Math.min(Math.max(0, until - from), waitMaxMs);
}
