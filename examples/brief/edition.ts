import { createHash } from "node:crypto";
import path from "node:path";

import type { Tutti } from "tutti";
import type { Sources } from "tutti/sources";

/** Which run a start means: the topic, the documents and the folder as they are, and how often a new page was asked for. */
export interface Edition {
  readonly key: string;
  readonly slug: string;
  /** Whether this one was begun earlier. */
  readonly begun: boolean;
}

/** The newest edition, to be gone on with or shown; a new one when it is asked for, or when the newest one failed. */
export async function findEdition(
  tutti: Tutti,
  wanted: { readonly topic: string; readonly sources: Sources; readonly out: string; readonly again: boolean },
): Promise<Edition> {
  const { topic, sources, out, again } = wanted;
  const documents = sources.list.map(({ id, text }) => [id, text]);
  const digest = createHash("sha256")
    .update(JSON.stringify([topic, path.resolve(out), documents]))
    .digest("hex")
    .slice(0, 12);
  const earlier = (await tutti.runs({ flow: "brief" })).filter(
    (run) => run.startKey?.startsWith(`brief:${digest}.`) === true,
  );
  const numbers = earlier.map((run) => Number(run.startKey?.split(".").at(-1) ?? 0));
  const newest = Math.max(0, ...numbers);
  const status = earlier[numbers.indexOf(newest)]?.status;
  const begun = newest > 0 && !again && status !== "failed" && status !== "cancelled";
  const number = begun ? newest : newest + 1;
  return {
    key: `${digest}.${number}`,
    slug: `${toSlug(topic)}-${digest.slice(0, 4)}${number === 1 ? "" : `-${number}`}`,
    begun,
  };
}

function toSlug(topic: string): string {
  const plain = topic.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return (
    plain
      .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
      .slice(0, 60)
      .replaceAll(/^-+|-+$/g, "") || "brief"
  );
}
