import type { EntryHead, Progress } from "tutti/client";

/** What the worker tells every tab. `refused`: the server does not know this session any more. */
export type LiveBatch =
  | { readonly kind: "entries"; readonly entries: readonly EntryHead[] }
  | { readonly kind: "progress"; readonly progress: readonly Progress[] }
  | { readonly kind: "state"; readonly state: "open" | "lost" | "refused" };

/** What a tab tells the worker. */
export type LiveWish = "follow" | "leave";
