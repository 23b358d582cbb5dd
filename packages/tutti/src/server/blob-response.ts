import { toldBytesMax } from "./told-value.ts";

/** A part of a large value: the first 64 kB, or the one range that is asked for, of at most 1 MB. */
export function toBlobResponse(content: string, range: string | null): Response {
  const bytes = Buffer.from(content);
  const wanted = toRange(range, bytes.length);
  const headers = { "content-type": "application/octet-stream", "accept-ranges": "bytes" };
  if (wanted === undefined)
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${bytes.length}` } });
  const { from, to } = wanted;
  const isWhole = from === 0 && to === bytes.length - 1;
  return new Response(bytes.subarray(from, to + 1), {
    status: isWhole ? 200 : 206,
    headers: isWhole ? headers : { ...headers, "content-range": `bytes ${from}-${to}/${bytes.length}` },
  });
}

const rangeBytesMax = 1024 * 1024;

interface Range {
  readonly from: number;
  /** Inclusive, as in the header. */
  readonly to: number;
}

function toRange(header: string | null, length: number): Range | undefined {
  if (header === null) return { from: 0, to: Math.min(length, toldBytesMax) - 1 };
  const { first = "", last = "" } = /^bytes=(?<first>\d*)-(?<last>\d*)$/u.exec(header)?.groups ?? {};
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, length - Number(last)) : Number(first);
  const end = first === "" || last === "" ? length - 1 : Number(last);
  const to = Math.min(end, length - 1, from + rangeBytesMax - 1);
  return from <= to ? { from, to } : undefined;
}
