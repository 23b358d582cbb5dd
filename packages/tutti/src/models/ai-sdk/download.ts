import { describeThrown, isTuttiError, TuttiError } from "../../base/errors.ts";
import type { MediaContent } from "../../contracts/media-model.ts";
import { toMediaType } from "./media-type.ts";

const downloadBytesMax = 128 * 1024 * 1024;

/**
 * What stands at an address that a provider gave. The address may hold a key, so no error repeats it.
 * @throws TuttiError TOOL_UNAVAILABLE or TOOL_REFUSED; reading changes nothing.
 */
export async function download(url: string, mediaType: string, signal: AbortSignal): Promise<MediaContent> {
  const { host } = new URL(url);
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) throw fromStatus(response.status, host);
    const content = await readBody(response, host);
    return { mediaType: toMediaType(content) ?? mediaType, content };
  } catch (error) {
    if (isTuttiError(error)) throw error;
    if (signal.aborted && isTuttiError(signal.reason)) throw signal.reason;
    throw new TuttiError("TOOL_UNAVAILABLE", `the film at ${host} could not be fetched: ${describeThrown(error)}`, {
      hint: "It is tried again.",
    });
  }
}

function fromStatus(status: number, host: string): TuttiError {
  const isPassing = status === 429 || status === 408 || status >= 500;
  return new TuttiError(
    isPassing ? "TOOL_UNAVAILABLE" : "TOOL_REFUSED",
    `${host} answered ${status} when asked for the film`,
    {
      hint: isPassing ? "It is tried again." : "Films are kept by providers for some hours or days only.",
      facts: { status },
    },
  );
}

async function readBody(response: Response, host: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > downloadBytesMax) {
      throw new TuttiError("TOOL_REFUSED", `the film at ${host} has more than ${downloadBytesMax} bytes`, {
        hint: "Ask for a shorter film or a lower resolution.",
        facts: { bytesMax: downloadBytesMax },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
