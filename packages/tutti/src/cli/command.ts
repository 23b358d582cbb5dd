import type { ExitCode } from "./exit-codes.ts";

/** A command as the table declares it: parsing, help and the documentation all follow from this. */
export interface CommandSpec {
  readonly name: string;
  readonly group: "run" | "look" | "steer" | "check";
  readonly does: string;
  /** What follows the name, in order. Optional ones come last. */
  readonly operands: readonly Operand[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** A few lines more, for `tutti help <command>`. */
  readonly more?: string;
  /** Loaded only when it is called, so that no command pays for another. */
  readonly load: () => Promise<CommandModule>;
}

export interface Operand {
  readonly name: string;
  readonly required: boolean;
  /** Of the last one there may be any number. */
  readonly isList?: boolean;
}

export interface OptionSpec {
  /** What its value is called in the help; a flag has none. */
  readonly value?: string;
  readonly does: string;
  /** It may be given several times. */
  readonly isList?: boolean;
}

export interface CommandModule {
  readonly run: (call: CommandCall) => Promise<ExitCode>;
}

/** What was typed, checked against the command's declaration. */
export interface CommandCall {
  readonly spec: CommandSpec;
  /** A required operand. */
  operand(name: string): string;
  optional(name: string): string | undefined;
  /** Every value of an operand that is a list. */
  operands(name: string): readonly string[];
  /** The value of an option that takes one. */
  text(option: string): string | undefined;
  /** Every value of an option that may be given several times. */
  texts(option: string): readonly string[];
  flag(option: string): boolean;
}
