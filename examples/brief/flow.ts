import { toBrief } from "./brief-flow.ts";
import { openDocuments } from "./documents.ts";

/** The flow over this project's documents, for `tutti dev` and `tutti run`; `tutti.config.ts` says which model and which policy. */
export const brief = toBrief({ sources: await openDocuments(undefined), folder: "out" });
