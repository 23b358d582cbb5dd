import type { EntryHead, Progress } from "tutti/client";

import type { LiveBatch } from "./live-batch.ts";

const againAfterMs = 1_000;

interface Told {
  readonly entries: readonly EntryHead[];
}

/**
 * Follows the ledger for ever: every entry once, in order, also over a restart of the server, since each connection goes on behind the last
 * position. The browser connects again by itself, except when the server answered something else than a stream.
 */
export function followStream(tell: (batch: LiveBatch) => void): () => void {
  let position: number | undefined;
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const connect = (): void => {
    source = new EventSource(position === undefined ? "/api/stream" : `/api/stream?after=${position}`);
    source.addEventListener("open", () => tell({ kind: "state", state: "open" }));
    source.addEventListener("entries", ({ data }: MessageEvent<string>) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own server's words; every tab reads what it shows through the client, which checks it
      const { entries } = JSON.parse(data) as Told;
      const fresh = entries.filter(({ lsn }) => lsn > (position ?? 0));
      position = fresh.at(-1)?.lsn ?? position;
      if (fresh.length > 0) tell({ kind: "entries", entries: fresh });
    });
    source.addEventListener("progress", ({ data }: MessageEvent<string>) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own server's words, shown as text and nothing else
      const { progress } = JSON.parse(data) as { readonly progress: readonly Progress[] };
      tell({ kind: "progress", progress });
    });
    source.addEventListener("error", () => {
      tell({ kind: "state", state: "lost" });
      if (source.readyState !== EventSource.CLOSED) return;
      void fetch("/api/session", { credentials: "same-origin" }).then(
        ({ status }) => {
          if (status === 401) tell({ kind: "state", state: "refused" });
          else timer = setTimeout(connect, againAfterMs);
        },
        () => {
          timer = setTimeout(connect, againAfterMs);
        },
      );
    });
  };
  connect();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
