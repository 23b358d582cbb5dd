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
  let tree = emptyRunTree;
  let followed: RunId | undefined;
  let held: TreeEvent[] = [];
  let failed = false;

  const take = (events: readonly TreeEvent[]): void => {
    for (const event of events) {
      const before = tree;
      tree = nextRunTree(before, [event]);
      display.changed(before, tree, event);
    }
  };

  // Watching must never harm the run that is watched.
  const safely = (work: () => void): void => {
    if (failed) return;
    try {
      work();
    } catch (error) {
      failed = true;
      display.close(tree);
      process.stderr.write(`tutti: the view has stopped, the run goes on: ${describeThrown(error)}\n`);
    }
  };

  return {
    get tree() {
      return tree;
    },
    show: (event) =>
      safely(() => {
        if (followed === undefined) {
          if (held.length < heldMax) held.push(event);
        } else if (runOf(event) === followed) take([event]);
      }),
    follow: (run, entries) =>
      safely(() => {
        followed = run;
        const waiting = held.filter((event) => runOf(event) === run);
        held = [];
        tree = emptyRunTree;
        take([...entries.map((entry): TreeEvent => ({ kind: "entry", entry })), ...waiting]);
      }),
    remark: (text) => safely(() => display.remark(text, tree)),
    close() {
      if (!failed) display.close(tree);
      failed = true;
    },
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

/** One way to show a tree. */
interface Display {
  changed(before: RunTree, after: RunTree, event: TreeEvent): void;
  remark(text: string | undefined, tree: RunTree): void;
  close(tree: RunTree): void;
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
      return { changed() {}, remark() {}, close() {} };
  }
}

const frameMs = 100;

/** Draws at most ten times a second, and only when something has changed or is going on. */
function openTreeDisplay(stream: NodeJS.WriteStream, clock: Clock): Display {
  let latest: RunTree = emptyRunTree;
  let remark: string | undefined;
  let frame = 0;
  let forgetFrame: (() => void) | undefined;
  const draw = (): void => {
    if (latest.seq === 0) return;
    const view = {
      width: screen.columns,
      height: screen.rows - 1,
      color: takesColor(stream),
      now: clock.now(),
      frame,
      folds: true,
    };
    screen.draw(renderTree(latest, { ...view, ...(remark === undefined ? {} : { remark }) }));
  };
  const schedule = (): void => {
    forgetFrame ??= clock.after(frameMs, () => {
      forgetFrame = undefined;
      frame += 1;
      draw();
      if (latest.endedAt === undefined) schedule();
    });
  };
  const screen = openScreen({
    stream,
    beside: [process.stdout, process.stderr].filter((other) => other !== stream && other.isTTY),
    onResize: draw,
  });
  return {
    changed(_, after) {
      latest = after;
      schedule();
    },
    remark(text) {
      remark = text;
      draw();
    },
    close(tree) {
      latest = tree;
      forgetFrame?.();
      draw();
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
    changed(before, after, event) {
      latest = after;
      const lines = toPlainLines(before, after, event);
      if (lines.length > 0) stream.write(`${lines.join("\n")}\n`);
      if (after.endedAt !== undefined) rest();
      else if (lines.length > 0 || forgetBeat === undefined) beat();
    },
    remark(text, tree) {
      if (text !== undefined && text !== said) stream.write(`${toRemarkLine(tree, text)}\n`);
      said = text;
    },
    close: rest,
  };
}

function openJsonDisplay(): Display {
  return {
    changed(before, after, event) {
      if (event.kind === "entry" && after.seq > before.seq) say(toEntryLine(event.entry));
    },
    remark() {},
    close() {},
  };
}
