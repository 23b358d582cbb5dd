import { toUsageLine } from "./command-line.ts";
import type { CommandSpec } from "./command.ts";
import { exitCodesText } from "./exit-codes.ts";

const groupTitles: Readonly<Record<CommandSpec["group"], string>> = {
  run: "Run",
  look: "Look",
  steer: "Steer",
  check: "Check",
};

/** What `tutti help` prints. */
export function toHelp(commands: readonly CommandSpec[]): string {
  const names = commands.map((command) =>
    toUsageLine(command)
      .replace(/^tutti /u, "")
      .replace(/ \[options\]$/u, ""),
  );
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const lines = ["tutti <command> [options]", ""];
  for (const [group, title] of Object.entries(groupTitles)) {
    const members = commands.filter((command) => command.group === group);
    if (members.length === 0) continue;
    lines.push(
      title,
      ...members.map((command) => `  ${(names[commands.indexOf(command)] ?? "").padEnd(width)}${command.does}`),
      "",
    );
  }
  lines.push(
    "A run is named by its id or the beginning of it. `tutti help <command>` says more; `tutti --version` prints the version.",
    `Exit codes: ${exitCodesText}`,
  );
  return `${lines.join("\n")}\n`;
}

/** What `tutti help <command>` prints. */
export function toCommandHelp(command: CommandSpec): string {
  const options = Object.entries(command.options).map(([name, { value, does }]) => ({
    head: `--${name}${value === undefined ? "" : ` <${value}>`}`,
    does,
  }));
  const width = Math.max(0, ...options.map(({ head }) => head.length)) + 2;
  const lines = [toUsageLine(command), "", command.does, ...(command.more === undefined ? [] : [command.more])];
  if (options.length > 0) lines.push("", ...options.map(({ head, does }) => `  ${head.padEnd(width)}${does}`));
  return `${lines.join("\n")}\n`;
}
