/** The command line: what bin/tutti.mjs calls, and what a program needs to show a run as `tutti run` does. */
export { main } from "./cli/main.ts";
