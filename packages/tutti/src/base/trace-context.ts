import { sha256 } from "./hash.ts";

/** The W3C trace id of a run, 32 hexadecimal digits. Derived, so that every process and every replay says the same. */
export function toTraceId(run: string): string {
  return sha256(`trace|${run}`).slice(0, 32);
}

/** The W3C span id of one attempt of a step, 16 hexadecimal digits. */
export function toSpanId(run: string, step: string, attempt: number): string {
  return sha256(`span|${run}|${step}|${attempt}`).slice(0, 16);
}

/** The `traceparent` (W3C Trace Context, version 00, sampled) that a call to another system carries. */
export function toTraceparent(run: string, step: string, attempt: number): string {
  return `00-${toTraceId(run)}-${toSpanId(run, step, attempt)}-01`;
}
