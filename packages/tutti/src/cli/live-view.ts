import { systemClock, type Clock } from "../base/clock.ts";
import { describeThrown } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { nextRunTree } from "../insight/next-run-tree.ts";
import { emptyRunTree, type RunTree, type TreeEvent } from "../insight/run-tree.ts";
import { toEntryLine } from "./entry-line.ts";
import { say } from "./output.ts";
import { toHeartbeat, toPlainLines, toRemarkLine } from "./plain-lines.ts";
import { renderTree } from "./render-tree.ts";
import { openScreen } from "./screen.ts";
import { takesColor } from "./terminal-text.ts";

/** `tree`: drawn in place. `plain`: a line for each change. `json`: the entries on stdout. `quiet`: nothing. */
export type ViewMode = "tree" | "plain" | "json" | "quiet";

/** Shows a run while it goes on. Give `show` to `openTutti({ onActivity })`. */
export interface LiveView {
  /** Takes in whatever an engine reports; runs that are not followed are passed over. */
  readonly show: (event: TreeEvent) => void;
  /** Shows this run from now on. `entries` are those that the ledger has of it. */
  follow(run: RunId, entries: readonly LedgerEntry[]): void;
  /** Says something below the steps, until it is told otherwise. */
  remark(text: string | undefined): void;
  readonly tree: RunTree;
  /** Draws the last state and gives the terminal back. */
  close(): void;
}

export interface LiveViewOptions {
  /** By default what the stream can bear: `tree` on a terminal, `plain` elsewhere. */
  readonly mode?: ViewMode;
  /** Where progress goes; standard error by default. */
  readonly stream?: NodeJS.WriteStream;
  readonly clock?: Clock;
}

// As many events as one run may make before somebody says that it is to be followed.
const heldMax = 10_000;

export function openLiveView(options: LiveViewOptions = {}): LiveView {
  const stream = options.stream ?? process.stderr;
  const clock = options.clock ?? systemClock;
  const display = openDisplay(options.mode ?? chooseMode(stream), stream, clock);
  let track = openTrack();
  let followed: RunId | undefined;
  let held: TreeEvent[] = [];
  let isOver = false;

  const take = (event: TreeEvent): void => {
    track.add(event);
    display.changed(event, track);
  };

  // Watching must never harm the run that is watched.
  const safely = (work: () => void): void => {
    if (isOver) return;
    try {
      work();
    } catch (error) {
      isOver = true;
      display.stop();
      process.stderr.write(`tutti: the view has stopped, the run goes on: ${describeThrown(error)}\n`);
    }
  };

  return {
    get tree() {
      return track.tree();
    },
    show: (event) =>
      safely(() => {
        if (event.kind === "delta") return; // words come many times a second, and the tree does not show them
        if (followed !== undefined) {
          if (runOf(event) === followed) take(event);
          return;
        }
        // The ledger has the older ones; those that came while it was read are the newest.
        if (held.length >= heldMax) held = held.slice(heldMax / 2);
        held.push(event);
      }),
    follow: (run, entries) =>
      safely(() => {
        followed = run;
        track = openTrack();
        for (const entry of entries) take({ kind: "entry", entry });
        for (const event of held) if (runOf(event) === run) take(event);
        held = [];
      }),
    remark: (text) => safely(() => display.remark(text, track)),
    close: () =>
      safely(() => {
        display.finish(track);
        display.stop();
        isOver = true;
      }),
  };
}

/** The tree of a run to which events are added in batches: only when somebody looks at it, or when there are many. */
interface Track {
  add(event: TreeEvent): void;
  tree(): RunTree;
}

const batchMax = 1_000;

function openTrack(): Track {
  let tree = emptyRunTree;
  let pending: TreeEvent[] = [];
  const catchUp = (): RunTree => {
    const batch = pending;
    pending = [];
    if (batch.length > 0) tree = nextRunTree(tree, batch);
    return tree;
  };
  return {
    add(event) {
      pending.push(event);
      if (pending.length >= batchMax) catchUp();
    },
    tree: catchUp,
  };
}

/** What a stream can bear: a drawing on a terminal that knows how to move its cursor, lines everywhere else. */
export function chooseMode(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv = process.env): "tree" | "plain" {
  const { CI, TERM } = environment;
  if (!stream.isTTY || TERM === "dumb") return "plain";
  return CI === undefined || CI === "" || CI === "0" || CI === "false" ? "tree" : "plain";
}

function runOf(event: TreeEvent): RunId {
  return event.kind === "entry" ? event.entry.run : event.run;
}

/** One way to show a run. */
interface Display {
  changed(event: TreeEvent, track: Track): void;
  remark(text: string | undefined, track: Track): void;
  /** Shows the last state. */
  finish(track: Track): void;
  /** Gives back what it holds. */
  stop(): void;
}

function openDisplay(mode: ViewMode, stream: NodeJS.WriteStream, clock: Clock): Display {
  switch (mode) {
    case "tree":
      return openTreeDisplay(stream, clock);
    case "plain":
      return openPlainDisplay(stream, clock);
    case "json":
      return openJsonDisplay();
    case "quiet":
      return { changed() {}, remark() {}, finish() {}, stop() {} };
  }
}

const frameMs = 100;

/** Draws at most ten times a second, and only when something has changed or is going on. */
function openTreeDisplay(stream: NodeJS.WriteStream, clock: Clock): Display {
  let shown: Track | undefined;
  let remark: string | undefined;
  let frame = 0;
  let forgetFrame: (() => void) | undefined;
  const draw = (): void => {
    const tree = shown?.tree() ?? emptyRunTree;
    if (tree.seq === 0) return;
    const view = {
      width: screen.columns,
      height: screen.rows - 1,
      color: takesColor(stream),
      now: clock.now(),
      frame,
      folds: true,
    };
    screen.draw(renderTree(tree, { ...view, ...(remark === undefined ? {} : { remark }) }));
    if (tree.endedAt === undefined) schedule();
  };
  const schedule = (): void => {
    forgetFrame ??= clock.after(frameMs, () => {
      forgetFrame = undefined;
      frame += 1;
      draw();
    });
  };
  const beside = [process.stdout, process.stderr].filter((other) => other !== stream && other.isTTY);
  const screen = openScreen({ stream, beside, onResize: draw });
  return {
    changed(_, track) {
      shown = track;
      schedule();
    },
    remark(text, track) {
      shown = track;
      remark = text;
      draw();
    },
    finish(track) {
      shown = track;
      draw();
    },
    stop() {
      forgetFrame?.();
      screen.close();
    },
  };
}

const heartbeatMs = 30_000;

function openPlainDisplay(stream: NodeJS.WriteStream, clock: Clock): Display {
  let latest: RunTree = emptyRunTree;
  let said: string | undefined;
  let forgetBeat: (() => void) | undefined;
  const rest = (): void => {
    forgetBeat?.();
    forgetBeat = undefined;
  };
  const beat = (): void => {
    rest();
    forgetBeat = clock.after(heartbeatMs, () => {
      stream.write(`${toHeartbeat(latest, clock.now())}\n`);
      beat();
    });
  };
  return {
    changed(event, track) {
      const before = latest;
      latest = track.tree();
      const lines = toPlainLines(before, latest, event);
      if (lines.length > 0) stream.write(`${lines.join("\n")}\n`);
      if (latest.endedAt !== undefined) rest();
      else if (lines.length > 0 || forgetBeat === undefined) beat();
    },
    remark(text, track) {
      if (text !== undefined && text !== said) stream.write(`${toRemarkLine(track.tree(), text)}\n`);
      said = text;
    },
    finish() {},
    stop: rest,
  };
}

function openJsonDisplay(): Display {
  let seq = 0;
  return {
    changed(event) {
      if (event.kind !== "entry" || event.entry.seq <= seq) return;
      seq = event.entry.seq;
      say(toEntryLine(event.entry));
    },
    remark() {},
    finish() {},
    stop() {},
  };
}
