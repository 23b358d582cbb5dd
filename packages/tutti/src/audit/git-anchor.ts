import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { devNull } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { describeThrown } from "../base/errors.ts";
import { toAnchorFailed, type Anchor } from "./anchor-port.ts";
import { splitNotes } from "./signed-note.ts";

const fileName = "tutti-checkpoints.txt";
const gitTimeoutMs = 30_000;
const outputBytesMax = 64 * 1024 * 1024;
const runGit = promisify(execFile);

/** A file in a git repository, to which every note is a commit. Only what is committed counts, and nothing that was may be missing. */
export function toGitAnchor(name: string, folder: string): Anchor {
  const git = async (args: readonly string[], signal: AbortSignal): Promise<string> => {
    const own = ["-C", folder, "-c", `core.hooksPath=${devNull}`, "-c", "commit.gpgSign=false"];
    const author = ["-c", "user.name=Tutti", "-c", "user.email=tutti@localhost"];
    try {
      const options = { signal, timeout: gitTimeoutMs, maxBuffer: outputBytesMax };
      return (await runGit("git", [...own, ...author, ...args], options)).stdout;
    } catch (error) {
      throw toAnchorFailed(name, describeThrown(error), error);
    }
  };
  const readKept = async (signal: AbortSignal): Promise<string> => {
    if ((await git(["rev-list", "-n", "1", "--all"], signal)) === "") return "";
    const changes = await git([...everyChange, "--", fileName], signal);
    if (/^-(?!-)/mu.test(changes)) throw toAnchorFailed(name, "a note that it kept was taken out or changed later");
    return changes === "" ? "" : git(["show", `HEAD:./${fileName}`], signal);
  };
  return {
    name,
    read: async (signal) => splitNotes(await readKept(signal)),
    async publish(note, signal) {
      const kept = await readKept(signal);
      if (splitNotes(kept).includes(note)) return;
      try {
        await writeFile(join(folder, fileName), `${kept}${note}\n`);
      } catch (error) {
        throw toAnchorFailed(name, describeThrown(error), error);
      }
      await git(["add", "--force", "--", fileName], signal);
      await git(["commit", "--quiet", "--no-verify", "-m", "Checkpoint", "--", fileName], signal);
    },
  };
}

const everyChange = [
  "log",
  "-p",
  "--first-parent",
  "--diff-merges=first-parent",
  "--no-color",
  "--no-ext-diff",
  "--format=",
];
