import type { ComponentType, ReactNode } from "react";

import { AgentsScreen } from "./agents/agents-screen.tsx";
import type { Place } from "./data/place.ts";
import { DocumentsScreen } from "./documents/documents-screen.tsx";
import { InboxCount, InboxScreen } from "./inbox/inbox-screen.tsx";
import { LedgerScreen } from "./ledger/ledger-screen.tsx";
import { RunScreen } from "./runs/run-screen.tsx";
import { RunsScreen } from "./runs/runs-screen.tsx";

interface Screen {
  readonly name: string;
  readonly parts: readonly string[];
  /** How much waits there. */
  readonly Count?: ComponentType;
}

/** The screens of the bar on top, in the order of their keys. */
export const screens: readonly Screen[] = [
  { name: "Runs", parts: [] },
  { name: "Inbox", parts: ["inbox"], Count: InboxCount },
  { name: "Agents", parts: ["agents"] },
  { name: "Documents", parts: ["documents"] },
  { name: "Ledger", parts: ["ledger"] },
];

/** The screen of a place; nothing where there is none. */
export function toScreen({ parts, search }: Place): ReactNode {
  const [first = "runs", run, tab] = parts;
  if (first === "runs" && run === undefined) return <RunsScreen search={search} />;
  if (first === "runs" && run !== undefined) return <RunScreen key={run} run={run} tab={tab} search={search} />;
  if (run !== undefined) return undefined;
  switch (first) {
    case "inbox":
      return <InboxScreen search={search} />;
    case "agents":
      return <AgentsScreen search={search} />;
    case "documents":
      return <DocumentsScreen search={search} />;
    case "ledger":
      return <LedgerScreen search={search} />;
    default:
      return undefined;
  }
}
