import { must } from "../../base/assert.ts";
import { describeThrown, TuttiError } from "../../base/errors.ts";
import type { Tool } from "../../contracts/callable.ts";
import { toContract } from "../../contracts/contract.ts";
import { toJsonSchema } from "../../contracts/schema.ts";
import { findNearest, toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { quote } from "../ledger-file.ts";
import { loadFlows, type FlowFile } from "../load-flows.ts";
import { isFolder, loadProject } from "../load-project.ts";
import { say, sayJson, stdoutColumns, stdoutPaint, tell } from "../output.ts";
import { readInput, startRun } from "../start-run.ts";
import { cutToColumns, toDuration, toPlainLine } from "../terminal-text.ts";
import { toToolFlowName } from "../tool-flow.ts";

/** `tutti tool`: the tools of a file or of the project, one's contract, or a call of one as a run of its own. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const action = call.operand("list|show|call");
  if (action !== "list" && action !== "show" && action !== "call") {
    const near = findNearest(action, ["list", "show", "call"]);
    throw toUsage(
      `tool can't "${action}"`,
      `${near === undefined ? "" : `did you mean: tutti tool ${near}? `}tool list|show|call [file] [tool]`,
    );
  }
  const named = readNamed(call);
  if (action === "list" && named.tool !== undefined)
    throw toUsage("tool list lists all tools", `tutti tool show ${named.words.map(quote).join(" ")}`);
  if (action !== "call") refuseCallOptions(call, action);
  const input = action === "call" ? await readInput(call) : undefined;
  const toolbox = await openToolbox(named);
  try {
    if (action === "call") return await callTool(call, { toolbox, named: named.tool, input });
    if (action === "list") list(call, toolbox);
    else show(call, chooseTool(toolbox, named.tool));
    return exitCodes.done;
  } finally {
    await toolbox.close();
  }
}

interface Named {
  /** A file, or a folder that stands for its project. */
  readonly file: string | undefined;
  readonly tool: string | undefined;
  /** As they were typed. */
  readonly words: readonly string[];
}

/** One word is a file if it looks like one, for a tool's name has no slash and ends like no program. */
function readNamed(call: CommandCall): Named {
  const first = call.optional("file");
  const tool = call.optional("tool");
  const words = [first, tool].filter((word) => word !== undefined);
  if (first === undefined || tool !== undefined || /[/\\]|^\.\.?$|\.[cm]?[jt]sx?$/u.test(first))
    return { file: first, tool, words };
  return { file: undefined, tool: first, words };
}

/** Tools, and how what has them is called in a sentence. */
interface Toolbox {
  readonly file: FlowFile;
  /** `toolbox.ts exports`, `tutti.config.ts has`. */
  readonly has: string;
  close(): Promise<void>;
}

/** @throws TuttiError FLOW_FILE_INVALID, CONFIG_INVALID when there are no tools, or two of one name; and what the server of a tool throws */
async function openToolbox({ file: path, tool }: Named): Promise<Toolbox> {
  if (path === undefined || isFolder(path)) return openProject(path ?? ".", tool);
  const file = await loadFlows(path);
  refuseTwins(file);
  return { file, has: `${file.path} exports`, close: async () => {} };
}

async function openProject(folder: string, tool: string | undefined): Promise<Toolbox> {
  const project = await loadProject({ folder, tool });
  for (const { name, why } of project.skipped)
    tell(`! the tools of ${toPlainLine(name)} are left out: ${why.code}  ${toPlainLine(why.message)}`);
  const { configPath } = project;
  return {
    file: project,
    has: configPath === undefined ? "the built-in set has" : `${configPath} has`,
    close: () => project.close(),
  };
}

interface ToolCall {
  readonly toolbox: Toolbox;
  readonly named: string | undefined;
  readonly input: unknown;
}

async function callTool(call: CommandCall, { toolbox, named, input }: ToolCall): Promise<ExitCode> {
  const tool = chooseTool(toolbox, named);
  const flow = must(
    toolbox.file.toolFlows.find(({ name }) => name === toToolFlowName(tool.name)),
    `${tool.name} has a flow of its own`,
  );
  return startRun(call, toolbox.file, { flow, input, what: tool.name });
}

const forAllActions: ReadonlySet<string> = new Set(["json"]);

function refuseCallOptions(call: CommandCall, action: string): void {
  const given = Object.keys(call.spec.options).find(
    (option) => !forAllActions.has(option) && (call.text(option) !== undefined || call.flag(option)),
  );
  if (given !== undefined) throw toUsage(`tool ${action} takes no --${given}`, "It is for tool call.");
}

/** @throws TuttiError FLOW_FILE_INVALID when it has no tools, or two of one name */
function refuseTwins(file: FlowFile): void {
  if (file.tools.length === 0) {
    throw new TuttiError("FLOW_FILE_INVALID", `${file.path} exports no tool`, {
      hint: "Export what tool({ … }) returns: export const send = tool({ … }).",
    });
  }
  const names = new Set<string>();
  for (const { name } of file.tools) {
    if (names.has(name)) {
      throw new TuttiError("FLOW_FILE_INVALID", `${file.path} exports two tools named ${name}`, {
        hint: "Give one of them another name.",
      });
    }
    names.add(name);
  }
}

/** The tool that was named, or the only one. @throws TuttiError USAGE */
function chooseTool({ has, file: { tools } }: Toolbox, named: string | undefined): Tool {
  const names = tools.map((tool) => tool.name);
  const [only] = tools;
  if (named === undefined && only !== undefined && tools.length === 1) return only;
  if (named === undefined) throw toUsage(`${has} ${tools.length} tools`, `Name one of them: ${names.join(", ")}`);
  const found = tools.find((tool) => tool.name === named);
  if (found !== undefined) return found;
  const near = findNearest(named, names);
  throw toUsage(
    `${has} no tool "${named}"`,
    near === undefined ? `There are: ${names.join(", ")}` : `did you mean: ${near}`,
  );
}

function list(call: CommandCall, { file: { tools, agents } }: Toolbox): void {
  const rows = tools.map((tool) => ({
    tool,
    users: agents.filter((agent) => agent.tools.includes(tool)).map((agent) => agent.name),
  }));
  if (call.flag("json")) {
    for (const { tool, users } of rows)
      sayJson({ name: tool.name, effect: tool.effect, does: tool.does, agents: users });
    return;
  }
  const nameColumns = Math.max(...tools.map(({ name }) => name.length));
  for (const { tool, users } of rows) {
    const of = users.length === 0 ? "" : `  (of ${users.join(", ")})`;
    const line = `${tool.name.padEnd(nameColumns)}  ${tool.effect.padEnd("idempotent".length)}  ${tool.does}${of}`;
    say(cutToColumns(toPlainLine(line), stdoutColumns()));
  }
}

/** What each effect class promises, in words. */
const effectWords: Readonly<Record<Tool["effect"], string>> = {
  read: "changes nothing; may run again",
  local: "changes nothing outside the ledger",
  idempotent: "changes something; doing it twice under one key is doing it once",
  once: "changes something that must not be done twice",
};

const scopeWords: Readonly<Record<Tool["scope"], string>> = {
  everyone: "the same action is done once for everyone",
  run: "the same action is done once in a run",
  step: "every step is an action of its own",
};

function show(call: CommandCall, tool: Tool): void {
  const { name, does, effect, scope, retry, timeoutMs, needs = [], ensures = [] } = tool;
  const schemas = { input: readSchema(tool, "input"), output: readSchema(tool, "output") };
  if (call.flag("json")) {
    const parts = { key: tool.key !== undefined, check: tool.check !== undefined, undo: tool.undo !== undefined };
    sayJson({ ...toContract(tool), scope, ...parts, retry, ...toShownSchemas(schemas) });
    return;
  }
  const paint = stdoutPaint();
  say(`${paint("bold", toPlainLine(name))}  ${toPlainLine(does)}`);
  const facts: Record<string, string> = { effect: `${effect}: ${effectWords[effect]}` };
  if (effect === "idempotent" || effect === "once") {
    facts["key"] = `${tool.key === undefined ? "the whole input" : "declared"}; ${scopeWords[scope]}`;
    facts["check"] = tool.check === undefined ? "none: a person is asked when the outcome is not known" : "declared";
    facts["undo"] = tool.undo === undefined ? "none: what was done stays" : "declared";
  }
  if (needs.length > 0) facts["needs"] = needs.map((need) => need.name).join("; ");
  if (ensures.length > 0) facts["ensures"] = ensures.map((guarantee) => guarantee.name).join("; ");
  if (retry !== undefined) facts["attempts"] = String(retry.attemptsMax);
  if (timeoutMs !== undefined) facts["timeout"] = toDuration(timeoutMs);
  for (const [fact, text] of Object.entries(facts)) say(`  ${fact.padEnd("attempts".length)}  ${text}`);
  for (const [side, schema] of Object.entries(schemas)) {
    const text = "problem" in schema ? schema.problem : JSON.stringify(schema.json, null, 2);
    say(
      `${paint("bold", side)}\n${text
        .split("\n")
        .map((line) => `  ${toPlainLine(line)}`)
        .join("\n")}`,
    );
  }
}

type ReadSchema = { readonly json: Readonly<Record<string, unknown>> } | { readonly problem: string };

// Not every schema can be written as JSON Schema; the rest of the contract is worth showing all the same.
function readSchema(tool: Tool, side: "input" | "output"): ReadSchema {
  try {
    return { json: toJsonSchema(tool[side], side, `the ${side} of ${tool.name}`) };
  } catch (error) {
    return { problem: `can't be shown: ${describeThrown(error)}` };
  }
}

function toShownSchemas(schemas: Readonly<Record<"input" | "output", ReadSchema>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(schemas).map(([side, schema]) => [
      "json" in schema ? side : `${side}Problem`,
      Object.values(schema)[0],
    ]),
  );
}
