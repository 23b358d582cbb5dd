import { useEffect, type ReactNode } from "react";

import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Paged } from "../parts/paged.tsx";
import { CallableHistory } from "./callable-history.tsx";
import { Figures } from "./figures-table.tsx";
import { HandOffs } from "./hand-offs.tsx";

const kinds = ["agent", "tool", "model", "flow"] as const;
type Kind = (typeof kinds)[number];
const refreshEveryMs = 2_000;
const shownMax = 60;

/** Which agent helps, fails, costs, and who hands work to whom; the same for tools, models and flows. */
export function AgentsScreen({ search }: { readonly search: Readonly<Record<string, string>> }): ReactNode {
  const kind = kinds.find((each) => each === search["kind"]) ?? "agent";
  const isHandOffs = search["view"] === "hand-offs";
  const { name } = search;
  useEffect(() => {
    document.title = `${name ?? "Agents"} · Tutti`;
  }, [name]);
  if (name !== undefined) return <CallableHistory kind={kind} name={name} />;
  return (
    <main id="screen" className="page">
      <h1>Agents</h1>
      <nav className="chips" aria-label="What to look at">
        {kinds.map((each) => (
          <Link
            key={each}
            to={["agents"]}
            search={{ kind: each }}
            className="chip"
            isCurrent={!isHandOffs && each === kind}
          >
            {each.charAt(0).toUpperCase() + each.slice(1)}s
          </Link>
        ))}
        <Link to={["agents"]} search={{ view: "hand-offs" }} className="chip" isCurrent={isHandOffs}>
          Hand-offs
        </Link>
      </nav>
      {isHandOffs ? <HandOffs /> : <Callables kind={kind} />}
    </main>
  );
}

function Callables({ kind }: { readonly kind: Kind }): ReactNode {
  const live = { fits: () => true, everyMs: refreshEveryMs };
  const page = useRemote("listCallables", { query: { kind } }, { live });
  const lines = page.value?.callables ?? [];
  return (
    <>
      {page.error === undefined ? null : <Problem error={page.error} retry={page.refresh} />}
      {page.value === undefined && page.error === undefined ? <Loading what="the figures" /> : null}
      {page.value === undefined ? null : lines.length === 0 ? (
        <Empty title={`No ${kind} was called yet`}>
          Figures are counted from the ledger, as soon as there are some.
        </Empty>
      ) : (
        <Paged word="from" items={lines.toSorted((left, right) => right.lastAt - left.lastAt)} pageMax={shownMax}>
          {(shown) => <Figures lines={shown} />}
        </Paged>
      )}
    </>
  );
}
