import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate as inflateZlib, zstdDecompress, type InputType } from "node:zlib";

import { ExchangeFault } from "./exchange-fault.ts";

type Unpack = (packed: InputType, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

const unpackByName: Readonly<Record<string, Unpack>> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflateZlib),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/** For the header `accept-encoding`. */
export const acceptedPackings = "gzip, deflate, br, zstd";

// More layers than one are rare, more than this an attack.
const layersMax = 3;

/** The body as it was before it was packed, at most `bytesMax` long: a small answer may unpack to a huge one. */
export async function inflate(
  packed: Uint8Array,
  headers: Readonly<Record<string, string>>,
  bytesMax: number,
): Promise<Uint8Array> {
  const named = headers["content-encoding"] ?? "";
  const names = named
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  if (names.length > layersMax) throw new ExchangeFault("unreadable", `the answer is packed ${names.length} times`);
  let body = packed;
  for (const name of names.toReversed()) {
    const unpack = unpackByName[name];
    if (unpack === undefined)
      throw new ExchangeFault("unreadable", "the answer is packed in a way that nobody asked for");
    if (body.byteLength > 0) body = await unpackWith(unpack, body, bytesMax);
  }
  return body;
}

async function unpackWith(unpack: Unpack, packed: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  try {
    return await unpack(packed, { maxOutputLength: bytesMax });
  } catch (error) {
    const tooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw tooLarge
      ? new ExchangeFault("too-large", `the answer unpacks to more than ${bytesMax} bytes`, error)
      : new ExchangeFault("unreadable", "the answer can't be unpacked", error);
  }
}
