// Writes the help of `tutti` and of each command into docs/cli.md. A test fails when the page is stale.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { commands } from "../packages/tutti/src/cli/command-table.ts";
import { toCommandHelp, toHelp } from "../packages/tutti/src/cli/help.ts";

const page = path.resolve(import.meta.dirname, "../docs/cli.md");
const text = readFileSync(page, "utf8");

/** What people wrote of a command, which stands between its title and its help. */
function findWords(name: string): string {
  const [, section = ""] = text.split(`\n## ${name}\n`);
  return section.split(/^(?:```text|## )/mu, 1)[0]?.trim() ?? "";
}

function toBlock(help: string): string {
  return `\`\`\`text\n${help}\`\`\`\n`;
}

const [intro = ""] = text.split("```text\n", 1);
const sections = commands.map((command) => {
  const words = findWords(command.name);
  return `## ${command.name}\n\n${words === "" ? "" : `${words}\n\n`}${toBlock(toCommandHelp(command))}`;
});
writeFileSync(page, [intro + toBlock(toHelp(commands)), ...sections].join("\n"));
