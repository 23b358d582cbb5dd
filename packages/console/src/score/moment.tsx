import { useEffect, useRef, useState, type ReactNode } from "react";

import { changeSearch } from "../data/place.ts";

interface MomentProps {
  /** The entry after which the run is shown; nothing for now. */
  readonly seq: number | undefined;
  readonly newest: number;
}

const settleMs = 120;

/** Goes back in time: the run as it was after any of its entries. */
export function Moment({ seq, newest }: MomentProps): ReactNode {
  const [shown, setShown] = useState(seq ?? newest);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setShown(seq ?? newest), [seq, newest]);
  const choose = (value: number): void => {
    setShown(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(
      () => changeSearch({ seq: value >= newest ? undefined : value }, { replace: true }),
      settleMs,
    );
  };
  return (
    <div className={`moment${seq === undefined ? "" : " is-past"}`}>
      <label className="row">
        <span className="muted">Moment</span>
        <input
          type="range"
          min={1}
          max={Math.max(1, newest)}
          value={shown}
          aria-valuetext={`entry ${shown} of ${newest}`}
          onChange={({ target }) => choose(Number(target.value))}
        />
        <span className="number muted">
          {shown.toLocaleString("en")} of {newest.toLocaleString("en")}
        </span>
      </label>
      {seq === undefined ? null : (
        <button type="button" className="chip" onClick={() => changeSearch({ seq: undefined })}>
          Back to now
        </button>
      )}
    </div>
  );
}
