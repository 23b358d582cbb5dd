import type { HttpAnswer } from "../http/exchange.ts";
import type { Explained } from "../http/http-errors.ts";

/** The service's own code of an error, or "". Of its text only this goes along: the rest may quote the request. */
export function toS3Code({ body }: HttpAnswer): string {
  return /<Code>([A-Za-z0-9.]{1,80})<\/Code>/.exec(Buffer.from(body).toString("utf8"))?.[1] ?? "";
}

/** What an answer means that a service gave instead of what was asked for, where that is not what its status says. */
export function explainS3(answer: HttpAnswer): Explained | undefined {
  const { status } = answer;
  const code = toS3Code(answer);
  const words = code === "" ? {} : { words: code };
  if (code === "SlowDown" || code === "TooManyRequests")
    return { code: "TOOL_RATE_LIMITED", hint: "Store less at once.", ...words };
  if (passing.has(code)) return { code: "TOOL_UNAVAILABLE", ...words };
  if (status >= 500 && status !== 501) return undefined;
  const hint = hintFor(status, code);
  return hint === undefined ? undefined : { code: "TOOL_REFUSED", hint, ...words };
}

/** Nothing was stored, and it may go better the next time. */
const passing: ReadonlySet<string> = new Set(["ConditionalRequestConflict", "OperationAborted", "RequestTimeout"]);

function hintFor(status: number, code: string): string | undefined {
  if (code === "NoSuchBucket") return "Make the bucket first, or correct its name.";
  if (code === "RequestTimeTooSkewed") return "The clock of this machine is wrong: set it.";
  if (status === 501) return "This service does not know a header: try conditionalWrites: false.";
  if (status >= 300 && status < 400) return "The bucket lives elsewhere: set its region and endpoint.";
  if (status === 401 || status === 403) return "Check the credentials, and what they may do with this bucket.";
  return code === "" ? undefined : "Check the store's options: endpoint, region, bucket and prefix.";
}
