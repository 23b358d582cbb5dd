/** Runs, live in a terminal, as lines in a pipe, or as JSON. */
export { openLiveView, type LiveView, type LiveViewOptions } from "./cli/live-view.ts";
