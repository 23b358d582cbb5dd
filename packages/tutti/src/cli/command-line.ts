import { parseArgs } from "node:util";

import { must } from "../base/assert.ts";
import { describeThrown, TuttiError } from "../base/errors.ts";
import type { CommandCall, CommandSpec } from "./command.ts";

export type ParsedLine =
  | { readonly kind: "call"; readonly call: CommandCall; readonly json: boolean }
  | { readonly kind: "help"; readonly command: CommandSpec | undefined }
  | { readonly kind: "version" };

/** @throws TuttiError USAGE, naming what was probably meant */
export function parseCommandLine(args: readonly string[], commands: readonly CommandSpec[]): ParsedLine {
  const [first, ...rest] = args;
  if (first === undefined || first === "--help" || first === "-h") return { kind: "help", command: undefined };
  if (first === "--version" || first === "-v") return { kind: "version" };
  if (first === "help") {
    const [named, ...others] = rest;
    if (others.length > 0) throw toUsage(`help takes one command, not ${rest.length}`, "tutti help");
    return { kind: "help", command: named === undefined ? undefined : findCommand(named, commands) };
  }
  const spec = findCommand(first, commands);
  if (rest.includes("--help") || rest.includes("-h")) return { kind: "help", command: spec };
  const call = parseCall(spec, rest);
  return { kind: "call", call, json: spec.options["json"] !== undefined && call.flag("json") };
}

function findCommand(name: string, commands: readonly CommandSpec[]): CommandSpec {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  if (name.startsWith("-"))
    throw toUsage(`${name} stands before any command`, "tutti <command> [options]; tutti help lists the commands");
  const near = findNearest(
    name,
    commands.map((command) => command.name),
  );
  throw toUsage(
    `there is no command "${name}"`,
    near === undefined ? "tutti help lists the commands" : `did you mean: tutti ${near}`,
  );
}

function parseCall(spec: CommandSpec, args: readonly string[]): CommandCall {
  const { positionals, values } = parseOptions(spec, args);
  const required = spec.operands.filter((operand) => operand.required);
  const missing = required[positionals.length];
  if (missing !== undefined) throw toUsage(`${spec.name} needs <${missing.name}>`, toUsageLine(spec));
  const last = spec.operands.at(-1);
  const extra = last?.isList === true ? undefined : positionals[spec.operands.length];
  if (extra !== undefined) throw toUsage(`${spec.name} can't take "${extra}" as well`, toUsageLine(spec));
  const operands = new Map(spec.operands.map((operand, index) => [operand.name, positionals[index]]));
  const valueOf = (option: string): ParsedOptions["values"][string] => {
    must(spec.options[option], `${spec.name} declares --${option}`);
    return values[option];
  };
  return {
    spec,
    operand: (name) => must(operands.get(name), `${name} is a required operand of ${spec.name}`),
    optional: (name) => operands.get(name),
    operands: (name) => positionals.slice(spec.operands.findIndex((operand) => operand.name === name)),
    text(option) {
      const value = valueOf(option);
      return typeof value === "string" ? value : undefined;
    },
    texts(option) {
      const given = valueOf(option);
      return Array.isArray(given) ? given.map(String) : [];
    },
    flag: (option) => valueOf(option) === true,
  };
}

interface ParsedOptions {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
}

function parseOptions(spec: CommandSpec, args: readonly string[]): ParsedOptions {
  const options = Object.fromEntries(
    Object.entries(spec.options).map(([name, option]) => [
      name,
      {
        type: option.value === undefined ? ("boolean" as const) : ("string" as const),
        multiple: option.isList === true,
      },
    ]),
  );
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { positionals, values };
  } catch (error) {
    const message = describeThrown(error);
    const unknown = /Unknown option '(?<name>[^']+)'/u.exec(message)?.groups?.["name"];
    if (unknown === undefined) throw toUsage(message, toUsageLine(spec));
    const near = findNearest(unknown.replace(/^-+/u, ""), Object.keys(options));
    throw toUsage(
      `${spec.name} knows no option ${unknown}`,
      near === undefined ? `tutti help ${spec.name}` : `did you mean --${near}? tutti help ${spec.name}`,
    );
  }
}

/** `tutti run <file> [flow] [options]` */
export function toUsageLine(spec: CommandSpec): string {
  const operands = spec.operands.map(({ name, required, isList }) => {
    const shown = isList === true ? `${name}…` : name;
    return required ? `<${shown}>` : `[${shown}]`;
  });
  const options = Object.keys(spec.options).length === 0 ? [] : ["[options]"];
  return ["tutti", spec.name, ...operands, ...options].join(" ");
}

export function toUsage(message: string, hint: string): TuttiError {
  return new TuttiError("USAGE", message, { hint });
}

/** The word that differs in the fewest letters, if it is close enough to have been meant. */
export function findNearest(typed: string, words: readonly string[]): string | undefined {
  const ranked = words
    .map((word) => ({ word, distance: countEdits(typed, word) }))
    .toSorted((left, right) => left.distance - right.distance);
  const [best] = ranked;
  return best !== undefined &&
    best.distance < typed.length &&
    best.distance <= Math.max(2, Math.floor(typed.length / 3))
    ? best.word
    : undefined;
}

function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of from.split("").entries()) {
    const next = [index + 1];
    for (let at = 1; at <= to.length; at++) {
      const change = (row[at - 1] ?? 0) + (to.charAt(at - 1) === letter ? 0 : 1);
      next.push(Math.min(change, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
