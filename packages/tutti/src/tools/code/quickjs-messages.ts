/** What the thread is started with. */
export interface WorkerJob {
  /** JSON text of `{ code, input }`. */
  readonly job: string;
  readonly timeoutMs: number;
  readonly memoryBytesMax: number;
  readonly stackBytesMax: number;
  readonly limits: { readonly lines: number; readonly line: number; readonly result: number };
}

/** What the thread says. `text` of the end is JSON that a program may have shaped: it is parsed as something untrusted. */
export type WorkerMessage =
  | { readonly kind: "started" }
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "lines-full" }
  | { readonly kind: "end"; readonly text: string };
