import { useLayoutEffect, useRef, useState, type ReactNode } from "react";
import type { PhaseHead } from "tutti/client";

import { useTheme } from "../data/theme.ts";
import { Told } from "../parts/told.tsx";
import { legends, lenses, toLaneHeat, type Lens, type Scale } from "./lens.ts";

interface StripProps {
  readonly heads: readonly PhaseHead[];
  readonly lanes: readonly string[];
  readonly lens: Lens;
  readonly scale: Scale;
  /** The phase that is in view. */
  readonly present: number;
  readonly goToPhase: (phase: number) => void;
  readonly chooseLens: (lens: Lens) => void;
}

/** Always the same, so that nothing below it moves when an agent joins. */
const stripHeight = 112;
const rowHeightMax = 16;
/** More agents than these share the last row. */
const lanesMax = 10;

/** The whole run on one glance: agents by phases. One drawing, however long the run is. */
export function Strip(props: StripProps): ReactNode {
  const { heads, lanes, lens, present, goToPhase, chooseLens } = props;
  const shown = lanes.length > lanesMax ? lanes.slice(0, lanesMax - 1) : lanes;
  const rest = lanes.length - shown.length;
  const rows = rest > 0 ? [...shown, `${rest} more`] : shown;
  const rowHeight = Math.min(rowHeightMax, stripHeight / rows.length);
  return (
    <section className="strip" aria-label="Overview">
      <div className="row strip-bar">
        <div className="chips" role="group" aria-label="What the colours tell">
          {lenses.map((each) => (
            <button
              key={each}
              type="button"
              className="chip"
              aria-pressed={lens === each}
              onClick={() => chooseLens(each)}
            >
              {each}
            </button>
          ))}
        </div>
        <p className="legend">
          {legends[lens].map((word, index) =>
            word === "" ? null : (
              <span key={word}>
                <i className={`heat-${index + 1}`} aria-hidden="true" />
                {word}
              </span>
            ),
          )}
          <span>
            <i className="failed" aria-hidden="true" />
            failed
          </span>
          <span>
            <i className="open" aria-hidden="true" />
            at work or waiting
          </span>
        </p>
      </div>
      <div className="strip-body">
        <ol className="strip-lanes">
          {rows.map((lane) => (
            <li key={lane} className="cut" style={{ height: rowHeight, lineHeight: `${rowHeight}px` }}>
              <Told text={lane} />
            </li>
          ))}
        </ol>
        <Drawing {...props} shown={shown} rows={rows.length} rowHeight={rowHeight} />
        <label className="unseen">
          Phase in view
          <input
            type="range"
            min={1}
            max={Math.max(1, heads.length)}
            value={present + 1}
            onChange={({ target }) => goToPhase(Number(target.value) - 1)}
          />
        </label>
      </div>
    </section>
  );
}

interface DrawingProps extends StripProps {
  readonly shown: readonly string[];
  readonly rows: number;
  readonly rowHeight: number;
}

function Drawing(props: DrawingProps): ReactNode {
  const { heads, rows, goToPhase } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const theme = useTheme();
  useLayoutEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    const colours = matchMedia("(prefers-color-scheme: dark)");
    const again = (): void => setWidth((before) => before + 0.001);
    colours.addEventListener("change", again);
    return () => {
      watch.disconnect();
      colours.removeEventListener("change", again);
    };
  }, []);
  useLayoutEffect(() => {
    if (canvas.current !== null && width > 0) draw(canvas.current, props);
  }, [props, width, theme]);
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={`${heads.length} phases by ${rows} lanes; press [ and ] to go from phase to phase`}
      style={{ height: stripHeight }}
      onClick={({ nativeEvent, currentTarget }) => {
        const cell = currentTarget.clientWidth / heads.length;
        goToPhase(Math.min(heads.length - 1, Math.floor(nativeEvent.offsetX / cell)));
      }}
    />
  );
}

function draw(canvas: HTMLCanvasElement, { heads, shown, rows, rowHeight, lens, scale, present }: DrawingProps): void {
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  const width = canvas.clientWidth;
  const ratio = devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(stripHeight * ratio);
  pen.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => {
    canvas.style.color = `var(${name})`;
    const found = style.color;
    canvas.style.color = "";
    return found;
  };
  const heat = ["--none", "--high", "--middle", "--low"].map(colour);
  const [failed = "", running = "", accent = ""] = ["--failed", "--running", "--accent-soft"].map(colour);
  const cell = width / Math.max(1, heads.length);
  const gap = cell > 6 ? 2 : cell > 3 ? 1 : 0;
  pen.fillStyle = accent;
  pen.fillRect(present * cell, 0, Math.max(2, cell), rows * rowHeight);
  for (const head of heads) {
    for (const lane of head.lanes) {
      const known = shown.indexOf(lane.lane);
      const [x, y] = [head.phase * cell, (known < 0 ? rows - 1 : known) * rowHeight + rowHeight / 5];
      const [w, h] = [Math.max(1, cell - gap), rowHeight * 0.6];
      pen.fillStyle = heat[toLaneHeat(lane, lens, scale)] ?? "";
      pen.fillRect(x, y, w, h);
      if (lane.failed > 0) {
        pen.fillStyle = failed;
        pen.fillRect(x, y + h - 3, w, 4);
      }
      if (lane.running + lane.waiting > 0) {
        pen.strokeStyle = running;
        pen.lineWidth = 2;
        pen.strokeRect(x + 1, y, Math.max(2, w - 2), h);
      }
    }
  }
}
