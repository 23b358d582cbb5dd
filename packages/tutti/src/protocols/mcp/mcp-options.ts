import type { Clock } from "../../base/clock.ts";
import type { EffectClass, Retry, Tool, ToolHost, UndoHost } from "../../contracts/callable.ts";
import type { RunId, StepKey } from "../../contracts/ids.ts";
import type { Secret } from "../../contracts/secret.ts";
import type { ServiceKey } from "../../tools/http/service-key.ts";

/** How a server is reached, and what is known about it. */
export type McpServerOptions = McpSettings & (McpProcess | McpAddress);

/** A server that is a process of this machine, spoken to over its standard input and output. */
export interface McpProcess {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to `PATH`, `HOME` and the few others that are handed on; nothing else of this process's environment is. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is started; this process's folder by default. */
  readonly folder?: string;
}

/** A server at an address, spoken to over streamable HTTP. Redirects to other origins are not followed. */
export interface McpAddress {
  readonly url: string;
  /** Sent with every request as `authorization: Bearer …`. */
  readonly key?: ServiceKey;
  /** Sent with every request, a secret as its value; a function is asked each time, so that a token may change. */
  readonly headers?: McpHeaders | (() => McpHeaders | Promise<McpHeaders>);
}

export type McpHeaders = Readonly<Record<string, string | Secret>>;

export interface McpSettings {
  /** What the server is called here: its tools are `name.tool`. Letters, digits, `_` and `-`, at most 24, the first a letter. */
  readonly name: string;
  /** Believe what the server says about its tools' effects. Without it every tool that is not described in `tools` is `once`. */
  readonly trusted?: boolean;
  /** What is known about single tools, by the server's name for them. It wins over what the server says. */
  readonly tools?: Readonly<Record<string, McpToolSettings>>;
  /** With every call goes the right to make it, in `_meta` as `dev.tutti/capability`: for servers that verify it. */
  readonly capability?: boolean;
  /** A JSON file with the accepted tools of this one server, made if missing. Without it they are remembered until `close`. */
  readonly pinFile?: string;
  /** Asks a person what a tool wants to know. Without it such questions are declined. */
  readonly ask?: (question: McpQuestion, signal: AbortSignal) => Promise<McpAnswer>;
  /** Told how far a call is, for the eyes only. Must not throw. */
  readonly onProgress?: (progress: McpProgress) => void;
  /** From starting or reaching the server to its list of tools. 30,000 by default. */
  readonly startTimeoutMs?: number;
  /** One call, for tools that declare nothing else. 120,000 by default. */
  readonly callTimeoutMs?: number;
  /** One message of the server. 10,000,000 by default. */
  readonly messageBytesMax?: number;
  readonly clock?: Clock;
}

/** What a person who configures a server knows about one of its tools. */
export interface McpToolSettings {
  readonly effect?: Exclude<EffectClass, "local">;
  /** What an error result of this tool means for its effect; `unknown` unless it only reads. */
  readonly failures?: McpFailures;
  readonly scope?: Tool["scope"];
  readonly retry?: Retry;
  readonly timeoutMs?: number;
  /** What makes two actions the same one. Without it: the whole input. */
  key?(input: McpInput): string;
  /** Asked when the outcome is in doubt: the output if it happened, `undefined` if it certainly did not. Throw if you can't tell. */
  check?(input: McpInput, host: ToolHost): unknown;
  /** Takes the effect back; has to bear being called twice. */
  undo?(output: unknown, host: UndoHost<McpInput>): Promise<void> | void;
}

/** `nothing-happened`: the tool promises that an error result means that it changed nothing. */
export type McpFailures = "nothing-happened" | "unknown";

/** Tools of MCP take an object. */
export type McpInput = Readonly<Record<string, unknown>>;

/** What a server wants to know from a person while it works. */
export type McpQuestion = McpFormQuestion | McpLinkQuestion;

interface McpAsked {
  readonly server: string;
  /** The server's name for the tool that asks; unknown when several calls to an older server are under way. */
  readonly tool: string | undefined;
  /** Written by the server. */
  readonly message: string;
}

/** Fields to fill in. Never for secrets: what is answered passes through this process to the server. */
export interface McpFormQuestion extends McpAsked {
  readonly kind: "form";
  /** JSON Schema of the answer: an object with plain fields. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** A page to visit; `accept` says that the person went there. */
export interface McpLinkQuestion extends McpAsked {
  readonly kind: "link";
  readonly url: string;
}

export type McpAnswer =
  | { readonly kind: "accept"; readonly content?: Readonly<Record<string, unknown>> }
  | { readonly kind: "decline" }
  | { readonly kind: "cancel" };

export interface McpProgress {
  readonly server: string;
  readonly tool: string;
  readonly run: RunId;
  readonly step: StepKey;
  readonly done: number;
  /** How much there is in all, if the server knows. */
  readonly total: number | undefined;
  readonly message: string | undefined;
}
