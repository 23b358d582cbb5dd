import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";

/** What the official suite requires of a client that logs in nowhere, by revision of the protocol. */
const scenarios = {
  "2026-07-28": [
    "tools_call",
    "request-metadata",
    "sep-2322-client-request-state",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
  ],
  "2025-11-25": ["initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"],
} as const;

const folder = path.dirname(fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/package.json")));
const suite = path.join(folder, "dist", "index.js");
const ours = fileURLToPath(new URL("../../../../../test/mcp/conformance-client.ts", import.meta.url));
const broken = fileURLToPath(new URL("../../../../../test/mcp/broken-client.mjs", import.meta.url));

test("every scenario that the official suite requires of a client is in the list, logging in aside", () => {
  for (const [revision, names] of Object.entries(scenarios)) {
    const text = readFileSync(path.join(folder, "requirements", `${revision}.yaml`), "utf8");
    const client = /^client:\n(?<lines>(?: {2}- .+\n|\n| *#.*\n)+)/m.exec(text)?.groups?.["lines"] ?? "";
    const required = [...client.matchAll(/^ {2}- (?<name>\S+)/gm)].map((match) => match.groups?.["name"] ?? "");
    expect(required.length).toBeGreaterThan(15);
    expect(new Set(required.filter((name) => !name.startsWith("auth/")))).toEqual(new Set(names));
  }
});

test.for(Object.entries(scenarios).flatMap(([revision, names]) => names.map((name) => [revision, name] as const)))(
  "official conformance, %s: %s",
  { concurrent: true, ...verifies("P3") },
  async ([revision, name]) => {
    const { code, passed, failed } = await runScenario(ours, revision, name);
    expect({ code, failed }).toEqual({ code: 0, failed: 0 });
    expect(passed).toBeGreaterThan(0);
  },
);

test("a client that does nothing fails the suite", { concurrent: true }, async () => {
  const { code, failed } = await runScenario(broken, "2026-07-28", "tools_call");
  expect(code).not.toBe(0);
  expect(failed).toBeGreaterThan(0);
});

interface Verdict {
  readonly code: number | null;
  readonly passed: number;
  readonly failed: number;
}

async function runScenario(client: string, revision: string, name: string): Promise<Verdict> {
  const command = [process.execPath, "--conditions=tutti-source", client].map((part) => `"${part}"`).join(" ");
  const args = [suite, "client", "--command", command, "--scenario", name, "--spec-version", revision];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  const counted = /Passed: (?<passed>\d+)\/\d+, (?<failed>\d+) failed/.exec(output)?.groups;
  if (counted === undefined) throw new Error(`the suite said nothing of ${name}:\n${output}`);
  return { code, passed: Number(counted["passed"]), failed: Number(counted["failed"]) };
}
