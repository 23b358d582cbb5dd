import type { CommandSpec } from "./command.ts";
import { actingCommands } from "./commands-to-act.ts";
import { lookingCommands } from "./commands-to-look.ts";
import { oversightCommands } from "./oversight-commands.ts";

/** Every command. Help, parsing and docs/cli.md are made from this. */
export const commands: readonly CommandSpec[] = [...actingCommands, ...oversightCommands, ...lookingCommands];
