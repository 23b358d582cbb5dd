import { TuttiError } from "./errors.ts";

/** A package that weighs too much to come with Tutti: who uses it installs it. */
export interface OptionalPackage {
  readonly name: string;
  /** What to write behind its name to get a version that fits. */
  readonly range: string;
  /** What it is for: "MCP servers are spoken to with". */
  readonly use: string;
}

/** @throws TuttiError DEFINITION_INVALID when the package is not installed */
export async function loadOptional<Module>(wanted: OptionalPackage, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, wanted.name)) throw error;
    throw new TuttiError("DEFINITION_INVALID", `${wanted.use} ${wanted.name}, which is not installed`, {
      hint: `Run: npm install ${wanted.name}@${wanted.range}`,
      cause: error,
    });
  }
}

function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(`'${name}'`)
  );
}
