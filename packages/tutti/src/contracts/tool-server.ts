import type { Tool } from "./callable.ts";

/** Tools that are kept elsewhere, and reached when somebody needs them: a server of the Model Context Protocol, for example. */
export interface ToolServer {
  /** Its tools are called `name.tool`. */
  readonly name: string;
  /** Reaches it. Whoever asks again gets the same; after a failure it is reached anew. @throws TuttiError when it can't be reached. */
  open(): Promise<{ readonly tools: readonly Tool[] }>;
  /** Ends what was opened; nothing when nothing was. It can be opened again. */
  close(): Promise<void>;
}
