/* Numbers as people read them. Everything on screen that is a number goes through here. */

/** `$0.0042`, `$0.012`, `$1.20`, `$1,204`. */
export function toMoney(usd: number): string {
  if (usd === 0) return "$0";
  if (usd < 0.1) return `$${usd.toPrecision(2)}`;
  return usd < 100 ? `$${usd.toFixed(2)}` : `$${Math.round(usd).toLocaleString("en")}`;
}

/** `950`, `12.3k`, `1.2M`. */
export function toCount(count: number): string {
  if (count < 1_000) return String(count);
  return count < 1_000_000 ? `${trim(count / 1_000)}k` : `${trim(count / 1_000_000)}M`;
}

/** `63%`. */
export function toPercent(part: number): string {
  return `${Math.round(part * 100)}%`;
}

/** `12 ms`, `3.4 s`, `2m 05s`, `3h 12m`, `4d 2h`. */
export function toDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${pad(Math.floor(seconds % 60))}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h ${pad(minutes % 60)}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** How long ago, in one unit: `now`, `40s`, `3m`, `2h`, `5d`. */
export function toAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 5) return "now";
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** The time of day, with the date when it is another one. */
export function toTime(at: number, now: number = Date.now()): string {
  const date = new Date(at);
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return new Date(now).toDateString() === date.toDateString() ? time : `${toDay(at)} ${time}`;
}

/** `2026-11-20`. */
export function toDay(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** `1 step`, `3 steps`; `1 entry`, `3 entries`. */
export function toNumberOf(count: number, word: string, several = `${word}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? word : several}`;
}

export function toBytes(bytes: number): string {
  return bytes < 1_024
    ? `${bytes} B`
    : bytes < 1_048_576
      ? `${trim(bytes / 1_024)} kB`
      : `${trim(bytes / 1_048_576)} MB`;
}

function trim(value: number): string {
  return value < 10 ? value.toFixed(1).replace(/\.0$/u, "") : String(Math.round(value));
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
