import { useEffect, type ReactNode } from "react";

import { ChannelsScreen } from "../channels/channels-screen.tsx";
import { CompareScreen } from "../compare/compare-screen.tsx";
import { useRemote } from "../data/remote.ts";
import { Entries } from "../ledger/entries.tsx";
import { Verify } from "../ledger/verify.tsx";
import { Link } from "../parts/link.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { ScoreScreen } from "../score/score-screen.tsx";
import { SteerScreen } from "../steer/steer-screen.tsx";
import { RunHead } from "./run-head.tsx";

interface RunScreenProps {
  readonly run: string;
  readonly tab: string | undefined;
  readonly search: Readonly<Record<string, string>>;
}

const refreshEveryMs = 300;

/** One run: its head, and what is to be seen of it. */
export function RunScreen({ run, tab, search }: RunScreenProps): ReactNode {
  const detail = useRemote(
    "showRun",
    { params: { run } },
    { live: { fits: (entries) => entries.some((entry) => entry.run === run), everyMs: refreshEveryMs } },
  );
  const flow = detail.value?.line.flow;
  useEffect(() => {
    document.title = `${flow ?? run} · Tutti`;
  }, [flow, run]);
  if (detail.value === undefined)
    return (
      <main id="screen" className="page">
        {detail.error === undefined ? (
          <Loading what="the run" />
        ) : detail.error.status === 404 ? (
          <Empty title="There is no such run" isPage>
            It may be in another ledger, or belong to another tenant. <Link to={[]}>See the runs</Link>
          </Empty>
        ) : (
          <>
            <h1>
              <Told text={run} />
            </h1>
            <Problem error={detail.error} retry={detail.refresh} />
          </>
        )}
      </main>
    );
  const { value } = detail;
  if (tab === undefined) return <ScoreScreen run={run} detail={value} search={search} />;
  return (
    <main id="screen" className="page">
      <RunHead detail={value} tab={tab} search={search} />
      {tab === "steer" ? (
        <SteerScreen run={run} detail={value} />
      ) : tab === "channels" ? (
        <ChannelsScreen run={run} search={search} />
      ) : tab === "compare" ? (
        <CompareScreen run={run} detail={value} search={search} />
      ) : tab === "ledger" ? (
        <>
          <Verify run={run} />
          <Entries run={run} search={search} />
        </>
      ) : (
        <Empty title="A run has nothing of this name">
          <Link to={["runs", run]}>See its score</Link>
        </Empty>
      )}
    </main>
  );
}
