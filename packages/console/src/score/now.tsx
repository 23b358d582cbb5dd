import { useEffect, useState, type ReactNode } from "react";

import { onProgress, onRing } from "../data/live.ts";
import { Told } from "../parts/told.tsx";
import { end, hear, type RunningStep } from "./running-steps.ts";

/** What the run is doing at this moment, and what a model is saying: one line, so that nothing below it moves. */
export function Now({ run }: { readonly run: string }): ReactNode {
  const [running, setRunning] = useState<readonly RunningStep[]>([]);
  useEffect(() => {
    setRunning([]);
    const stops = [
      onProgress((progress) => setRunning((before) => hear(before, run, progress))),
      onRing((entries) => setRunning((before) => end(before, run, entries))),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [run]);
  const newest = running.at(-1);
  const others = running.length - 1;
  return (
    <p className="now">
      <span className="muted">Now</span>{" "}
      {newest === undefined ? null : (
        <>
          <code>
            <Told text={newest.step} />
          </code>
          {newest.attempt > 1 ? <span className="muted"> attempt {newest.attempt}</span> : null}
          {others > 0 ? <span className="muted"> and {others} more</span> : null}
          <Told className="now-said" text={newest.text} />
        </>
      )}
    </p>
  );
}
