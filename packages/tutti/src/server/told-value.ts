import type { ToldValue } from "../contracts/api/runs.ts";
import { toPreview } from "../insight/preview.ts";

/** Larger values are named by their hash or left out; whoever wants them reads them piece by piece. */
export const toldBytesMax = 64 * 1024;

export interface BlobRef {
  readonly hash: string;
  readonly bytes: number;
}

/** A value as an entry holds it. Those in entries are small: the ledger moves larger ones out. */
export function toToldValue(value: unknown, reference: BlobRef | undefined): ToldValue {
  if (reference !== undefined) return { hash: reference.hash, bytes: reference.bytes };
  if (value === undefined) return {};
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes > toldBytesMax ? { bytes, preview: toPreview(value) } : { value, bytes };
}
