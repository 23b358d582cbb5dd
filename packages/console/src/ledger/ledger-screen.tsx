import { useEffect, type ReactNode } from "react";

import { useRights } from "../data/session.ts";
import { Entries } from "./entries.tsx";
import { Verify } from "./verify.tsx";

/** The whole ledger: every entry, and whether it is what was once written. */
export function LedgerScreen({ search }: { readonly search: Readonly<Record<string, string>> }): ReactNode {
  const { maySeeAll } = useRights();
  useEffect(() => {
    document.title = "Ledger · Tutti";
  }, []);
  return (
    <main id="screen" className="page">
      <h1>Ledger</h1>
      {maySeeAll ? <Verify run={undefined} /> : null}
      <Entries run={undefined} search={search} />
    </main>
  );
}
